"""From observables to circuits with shots, and from outcomes to expectation values.

::

    observables           observables as sums of Pauli terms
    clifford_end          the Clifford gates at the end of a circuit
    broadcasting          which observables belong to which parameter sets
    gate_errors           what two-qubit gates do to a signal
    measurement           groups of terms, and the shots of each
    planning              from PUBs to circuits
    pilot                 shots that a first job's variances call for
    plan, device_time     what is going to run, and how long that takes
    estimates             what is made of the outcomes
    planner               groups, bases, shots and expectation values of Pauli terms
"""
