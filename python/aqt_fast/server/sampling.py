"""Request bodies to outcomes: simulated by Aer, or made up natively."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from aqt_fast.server.portal import PortalError, Workload, invalid

_CACHED_CIRCUITS = 1000


class Sampler(Protocol):
    """Reads request bodies; whatever is wrong with one is a :class:`PortalError` (422)."""

    def read_job(self, body: bytes) -> Workload:
        """The body of ``POST /submit/…``."""

    def read_circuit(self, body: bytes) -> Workload:
        """The body of ``PUT /circuit``, one bare circuit."""


def circuit_digest(circuit: Mapping[str, Any]) -> str:
    """Identify a circuit of a request, whatever the white space and the order of its keys.

    Args:
        circuit: ``{"repetitions": …, "quantum_circuit": […], "number_of_qubits": …}``

    Returns:
        SHA-256 of its compact JSON with sorted keys.
    """
    return hashlib.sha256(orjson.dumps(circuit, option=orjson.OPT_SORT_KEYS)).hexdigest()


class AerSampler:
    """Validates with AQT's own models and simulates with Aer, one circuit at a time."""

    def __init__(self) -> None:
        """Aer is loaded with the first circuit, Qiskit at once.

        If the thread that loaded Qiskit (2.6) has ended, the next circuit that is made anywhere
        crashes the process; the machines' threads end.
        """
        import qiskit  # noqa: F401

        self._simulators: dict[bool, Any] = {}
        self._circuits: OrderedDict[str, Any] = OrderedDict()
        # Machines share the cache and the simulators.
        self._lock = threading.Lock()

    def read_job(self, body: bytes) -> Workload:
        """See :class:`Sampler`."""
        from aqt_connector.models.arnica.request_bodies.jobs import SubmitJobRequest

        request = _validate(SubmitJobRequest.model_validate_json, body)
        circuits = _parse(body)["payload"]["circuits"]
        return _Simulated(self, request.label, request.payload.circuits, circuits)

    def read_circuit(self, body: bytes) -> Workload:
        """See :class:`Sampler`."""
        from aqt_connector.models.circuits import QuantumCircuit

        circuit = _validate(QuantumCircuit.model_validate_json, body)
        return _Simulated(self, None, [circuit], [_parse(body)])

    def simulate(
        self, circuit: Any, digest: str, *, noisy: bool, seed: int
    ) -> tuple[list[str], list[int]]:
        """Run one circuit.

        Returns:
            Its shots as hexadecimal numbers, and the qubit that each of their bits belongs to; the
            other qubits are idle, and 0.
        """
        with self._lock:
            if noisy not in self._simulators:
                self._simulators[noisy] = _simulator(noisy)
            simulator = self._simulators[noisy]
            converted, qubits = self._circuits.pop(digest, None) or _convert(circuit)
            self._circuits[digest] = converted, qubits
            if len(self._circuits) > _CACHED_CIRCUITS:
                self._circuits.popitem(last=False)
        # Aer takes seeds of 63 bits.
        result = simulator.run(
            converted, shots=circuit.repetitions, memory=True, seed_simulator=seed >> 1
        ).result()
        if not result.success:
            raise RuntimeError(f"the simulation failed: {result.status}")
        return result.results[0].data.memory, qubits


class _Simulated:
    """A job of :class:`AerSampler`."""

    def __init__(
        self,
        sampler: AerSampler,
        label: str | None,
        circuits: Sequence[Any],
        raw: Sequence[Mapping[str, Any]],
    ) -> None:
        self.label = label
        self.sizes: Sequence[tuple[int, int]] = [
            (circuit.repetitions, circuit.number_of_qubits) for circuit in circuits
        ]
        self._digests = [circuit_digest(circuit) for circuit in raw]
        self.digests: Sequence[str] | None = self._digests
        self._sampler = sampler
        self._circuits = circuits
        self._pieces: list[bytes] = []

    def measure(self, index: int, *, noisy: bool, seed: int) -> None:
        """See :class:`aqt_fast.server.portal.Workload`."""
        circuit, digest = self._circuits[index], self._digests[index]
        shots, qubits = self._sampler.simulate(circuit, digest, noisy=noisy, seed=seed)
        rows = {shot: _row(int(shot, 16), qubits, circuit.number_of_qubits) for shot in set(shots)}
        self._pieces.append(b'"%d":[%s]' % (index, b",".join([rows[shot] for shot in shots])))

    def result(self, *, seed: int) -> bytes:  # noqa: ARG002 - was used for each circuit
        """See :class:`aqt_fast.server.portal.Workload`."""
        return b"{%s}" % b",".join(self._pieces)


class NativeSampler:
    """Validates and makes outcomes up natively, without an object for each operation or shot.

    Circuits of nothing but RZ and full flips have the outcome that they would have; all others have
    random bits.
    """

    _BEFORE = b'{"job_type":"quantum_circuit","label":null,"payload":{"circuits":['
    _AFTER = b"]}}"

    def __init__(self, *, identify: bool) -> None:
        """``identify`` makes digests of circuits, which costs more than all the rest."""
        self._identify = identify

    def read_job(self, body: bytes) -> Workload:
        """See :class:`Sampler`."""
        label, sizes = self._read(body, 0)
        digests = None
        if self._identify:
            digests = [circuit_digest(circuit) for circuit in _parse(body)["payload"]["circuits"]]
        return _MadeUp(body, label, sizes, digests)

    def read_circuit(self, body: bytes) -> Workload:
        """See :class:`Sampler`."""
        _, sizes = self._read(self._BEFORE + body + self._AFTER, len(self._BEFORE))
        # Only now is it known that the body cannot have left its brackets.
        circuit = _parse(body)
        digests = [circuit_digest(circuit)] if self._identify else None
        return _MadeUp(self._BEFORE + body + self._AFTER, None, sizes, digests)

    def _read(self, body: bytes, offset: int) -> tuple[str | None, Sequence[tuple[int, int]]]:
        from aqt_fast import _native
        from aqt_fast.exceptions import MalformedRequestError

        try:
            return _native.read_job(body)
        except MalformedRequestError as error:
            raise invalid(("body", max(0, error.offset - offset)), error.reason) from None


class _MadeUp:
    """A job of :class:`NativeSampler`."""

    def __init__(
        self,
        body: bytes,
        label: str | None,
        sizes: Sequence[tuple[int, int]],
        digests: Sequence[str] | None,
    ) -> None:
        self.label = label
        self.sizes = sizes
        self.digests = digests
        self._body = body

    def measure(self, index: int, *, noisy: bool, seed: int) -> None:
        """Nothing to do: :meth:`result` makes all circuits at once."""

    def result(self, *, seed: int) -> bytes:
        """See :class:`aqt_fast.server.portal.Workload`."""
        from aqt_fast import _native

        return _native.make_samples(self._body, seed)


def _validate(model: Callable[[bytes], Any], body: bytes) -> Any:
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
        # The connector's model fails in this way on an rxx with one qubit twice.
        raise invalid(("body",), str(error)) from None


def _parse(body: bytes) -> Any:
    """Parse a body that was accepted; what pydantic is lenient about is refused here."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid(("body", error.pos), error.msg) from None


def _row(outcome: int, qubits: Sequence[int], num_qubits: int) -> bytes:
    """One shot as JSON; bit i of the outcome is that of ``qubits[i]``."""
    row = [b"0"] * num_qubits
    for position, qubit in enumerate(qubits):
        if outcome >> position & 1:
            row[qubit] = b"1"
    return b"[%s]" % b",".join(row)


def _convert(circuit: Any) -> tuple[Any, list[int]]:
    """A circuit on the qubits that have gates, and these: idle ones would double Aer's work."""
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
    """Aer with the noise of the package's own noisy simulator, or without."""
    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import NoiseModel, depolarizing_error

    if not noisy:
        return AerSimulator()
    model = NoiseModel(basis_gates=["rz", "r", "rxx"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.003, 1), ["r"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.01, 2), ["rxx"])
    return AerSimulator(noise_model=model)
