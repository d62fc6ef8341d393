"""Qiskit Aer as a simulator of an AQT device, in this process or on an executor's workers.

::

    backend             OfflineSimulatorResource; loads Aer on first use
    simulation          common parts of the executions: a batch, its results, its end
    local               in this process, in turn with other jobs
    turns               the thread in which they take turns
    executor            on an executor's workers, many chunks at a time
    worker              the workers' function, and the data they receive and return
    twin                NoiseTwin, which has the noise of a device
    noise_settings      how its noise is made of the device's figures
    device_noise        that noise, gate by gate
    gate_noise          the noise of one gate: Paulis and resets
    imperfections       over-rotation, crosstalk and waiting, put into circuits
    relaxation          what time does to a qubit
    device_noise_model  the noise as a noise model of Aer's
    noise_strengths     of offline_simulator_noise
    noise_description   noise models as JSON's types, and back
    aer                 noise, copying and saving of options, seeds and outcomes
    trajectories        the native sampler, where it can stand for Aer
    mixtures            noise as the native sampler takes it
    aer_settings        what Aer is told for each circuit, by measurement
    copies              copies of the simulator, with the options of one moment
    clbits              outcomes at the classical bits of the user's circuits
"""
