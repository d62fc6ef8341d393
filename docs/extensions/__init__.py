"""What this site checks and generates.

- ``documented``: what the reference has.
- ``links``: links inside the built site that lead nowhere, and what it loads from other hosts.
- ``option_tables``: tables of options, from their types.
- ``public_names``: public names that the reference lacks.
- ``references``: names in docstrings, led to their place in the reference.
"""
