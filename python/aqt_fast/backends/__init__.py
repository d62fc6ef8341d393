"""Backends: what they have in common, and three ways of running that know nothing of each other.

::

    base        AQTResource: target, options, how a job is made; execute()
    cloud/      a resource of AQT's portal
    direct/     a machine in the same network
    offline/    Qiskit Aer as an AQT register
"""
