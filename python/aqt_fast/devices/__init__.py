"""What is known of a device, and what a job takes there: figures, durations, prices, estimates.

Knows no backend: backends hand in what the portal publishes, and snapshots of circuits.
"""
