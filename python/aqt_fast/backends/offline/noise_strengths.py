"""Strengths of the depolarising noise of ``offline_simulator_noise``."""

R = 0.003
"""On each r."""

RXX = 0.01
"""On each rxx."""
