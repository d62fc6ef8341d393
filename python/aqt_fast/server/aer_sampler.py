"""Validate with AQT's models, simulate with Aer."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aqt_fast.server.errors import PortalError, invalid
from aqt_fast.server.sampler import Workload, circuit_digest, parse

_CACHED_CIRCUITS = 1000
_FEWEST_QUBITS_FOR_THREADS = 14
"""From as many qubits on, Aer shares the work on one state among threads."""
_SHOTS_AT_A_TIME = 4
"""Most shots of a large circuit with noise in one call, in which Aer holds Python's lock."""


class AerSampler:
    """Simulates with Aer, one circuit at a time."""

    def __init__(self) -> None:
        """Load Qiskit now, and Aer with the first circuit.

        Qiskit (2.6) crashes the process if the thread that loaded it has ended before another
        thread makes a circuit. The machines' threads end, so they must not load it.
        """
        import qiskit  # noqa: F401

        self._simulators: dict[bool, Any] = {}
        self._circuits: OrderedDict[str, Any] = OrderedDict()
        # All machines share the simulators and the converted circuits.
        self._lock = threading.Lock()

    def read_job(self, body: bytes) -> Workload:
        """See :class:`aqt_fast.server.sampler.Sampler`."""
        from aqt_connector.models.arnica.request_bodies.jobs import SubmitJobRequest

        request = _validate(SubmitJobRequest.model_validate_json, body)
        circuits = parse(body)["payload"]["circuits"]
        return _AerWorkload(self, request.label, request.payload.circuits, circuits)

    def read_circuit(self, body: bytes) -> Workload:
        """See :class:`aqt_fast.server.sampler.Sampler`."""
        from aqt_connector.models.circuits import QuantumCircuit

        circuit = _validate(QuantumCircuit.model_validate_json, body)
        return _AerWorkload(self, None, [circuit], [parse(body)])

    def simulate(
        self, circuit: Any, digest: str, *, noisy: bool, seed: int
    ) -> tuple[list[str], list[int]]:
        """Run one circuit.

        Args:
            circuit: a circuit of AQT's model.
            digest: its :func:`circuit_digest`.
            noisy: whether to add depolarising noise.
            seed: of 64 bits.

        Returns:
            The shots as hexadecimal numbers, and the qubit of each of their bits, the lowest bit
            first. All other qubits are idle: their outcome is 0.

        Raises:
            RuntimeError: Aer reports an error.
        """
        with self._lock:
            if noisy not in self._simulators:
                self._simulators[noisy] = _simulator(noisy)
            simulator = self._simulators[noisy]
            converted, qubits = self._circuits.pop(digest, None) or _convert(circuit)
            self._circuits[digest] = converted, qubits
            if len(self._circuits) > _CACHED_CIRCUITS:
                self._circuits.popitem(last=False)
        large = converted.num_qubits >= _FEWEST_QUBITS_FOR_THREADS
        # Without noise Aer computes one state for all shots, with noise one for each shot.
        at_a_time = _SHOTS_AT_A_TIME if large and noisy else circuit.repetitions
        memory: list[str] = []
        while len(memory) < circuit.repetitions:
            result = simulator.run(
                converted,
                shots=min(at_a_time, circuit.repetitions - len(memory)),
                memory=True,
                seed_simulator=(seed >> 1) ^ len(memory),  # Aer takes seeds of 63 bits
                # Waking threads takes 25 times longer than a small circuit.
                max_parallel_threads=0 if large else 1,
            ).result()
            if not result.success:
                raise RuntimeError(f"the simulation failed: {result.status}")
            memory += result.results[0].data.memory
        return memory, qubits


class _AerWorkload:
    """The circuits of one job."""

    def __init__(
        self,
        sampler: AerSampler,
        label: str | None,
        circuits: Sequence[Any],
        raw: Sequence[Mapping[str, Any]],
    ) -> None:
        """``circuits`` are AQT's models of the ``raw`` ones."""
        self.label = label
        self.sizes: Sequence[tuple[int, int]] = [
            (circuit.repetitions, circuit.number_of_qubits) for circuit in circuits
        ]
        self.gates: Sequence[tuple[int, int]] = [_gates(circuit) for circuit in circuits]
        self._digests = [circuit_digest(circuit) for circuit in raw]
        self.digests: Sequence[str] | None = self._digests
        self._sampler = sampler
        self._circuits = circuits
        self._pieces: list[bytes] = []

    def measure(self, index: int, *, noisy: bool, seed: int) -> None:
        """See :class:`aqt_fast.server.sampler.Workload`."""
        circuit, digest = self._circuits[index], self._digests[index]
        memory, qubits = self._sampler.simulate(circuit, digest, noisy=noisy, seed=seed)
        shots = {
            shot: _shot_as_json(int(shot, 16), qubits, circuit.number_of_qubits)
            for shot in set(memory)
        }
        self._pieces.append(b'"%d":[%s]' % (index, b",".join([shots[shot] for shot in memory])))

    def result(self, *, seed: int) -> bytes:  # noqa: ARG002 - measure has used a seed already
        """See :class:`aqt_fast.server.sampler.Workload`."""
        return b"{%s}" % b",".join(self._pieces)


def _gates(circuit: Any) -> tuple[int, int]:
    """Count R and RXX of a circuit of AQT's model."""
    names = [gate.operation for gate in circuit.quantum_circuit.gates()]
    return names.count("R"), names.count("RXX")


def _validate(model: Callable[[bytes], Any], body: bytes) -> Any:
    """Read a body with one of AQT's models.

    Raises:
        PortalError: the body is invalid (422).
    """
    from pydantic import ValidationError

    try:
        return model(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        detail = [
            {"loc": ["body", *problem["loc"]], "msg": problem["msg"], "type": problem["type"]}
            for problem in problems
        ]
        raise PortalError(422, detail) from None
    except TypeError as error:
        # AQT's model raises this for an RXX that names one qubit twice.
        raise invalid(("body",), str(error)) from None


def _shot_as_json(outcome: int, qubits: Sequence[int], num_qubits: int) -> bytes:
    """Write one shot; bit i of the outcome belongs to ``qubits[i]``."""
    bits = [b"0"] * num_qubits
    for position, qubit in enumerate(qubits):
        if outcome >> position & 1:
            bits[qubit] = b"1"
    return b"[%s]" % b",".join(bits)


def _convert(circuit: Any) -> tuple[Any, list[int]]:
    """Convert a circuit of AQT's model to Qiskit, without idle qubits: each doubles Aer's work.

    Returns:
        The converted circuit, and the original qubit of each of its qubits.
    """
    from qiskit import QuantumCircuit

    gates = list(circuit.quantum_circuit.gates())
    qubits = sorted({qubit for gate in gates for qubit in gate.get_qubits()}) or [0]
    place = {qubit: position for position, qubit in enumerate(qubits)}
    converted = QuantumCircuit(len(qubits), len(qubits))
    for gate in gates:
        if gate.operation == "RZ":
            converted.rz(gate.phi * math.pi, place[gate.qubit])
        elif gate.operation == "R":
            converted.r(gate.theta * math.pi, gate.phi * math.pi, place[gate.qubit])
        else:
            converted.rxx(gate.theta * math.pi, *(place[qubit] for qubit in gate.qubits))
    converted.measure(range(len(qubits)), range(len(qubits)))
    return converted, qubits


def _simulator(noisy: bool) -> Any:
    """Make a simulator, ideal or with the noise of ``offline_simulator_noise``."""
    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import NoiseModel, depolarizing_error

    if not noisy:
        return AerSimulator()
    model = NoiseModel(basis_gates=["rz", "r", "rxx"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.003, 1), ["r"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.01, 2), ["rxx"])
    return AerSimulator(noise_model=model)
