"""Backends: their common base, and three kinds that are independent of each other.

::

    base           AQTResource: options, how a job is made
    admission      whether a job may be sent: limits, and whether the device is online
    run_options    the options of run: ours, other providers', unknown ones
    target         what the transpiler is told; make_transpiler_target()
    compiling      circuits of any gates, compiled on their way into a job
    transpiling    execute(); in our words, what Qiskit's transpiler refuses
    knowledge      all of this at one moment, which a backend replaces as a whole
    page           what notebooks show of it
    calibration    error rates, durations, coherence times
    legacy         configuration, properties, status for older tools
    cloud/         a resource of AQT's portal
    direct/        a machine in the same network
    offline/       Qiskit Aer as a simulator of an AQT device
"""
