"""Backends: their common base, and three kinds that are independent of each other.

::

    base        AQTResource: target, options, how a job is made; execute()
    cloud/      a resource of AQT's portal
    direct/     a machine in the same network
    offline/    Qiskit Aer as a simulator of an AQT device
"""
