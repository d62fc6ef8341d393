"""Qiskit Aer as an AQT register, in this process or on an executor's workers.

::

    backend       OfflineSimulatorResource; loads Aer when first used
    simulation    what executions have in common: a batch, its results, its end
    local         in this process, in a thread of its own
    executor      on an executor's workers, many chunks at a time
    worker        what travels to the workers, and what they call
    aer           noise, options to be copied or saved, seeds and outcomes
"""
