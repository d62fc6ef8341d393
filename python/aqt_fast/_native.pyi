"""The Rust extension; :mod:`aqt_fast.wire` is its public face."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, final

from qiskit import QuantumCircuit
from qiskit.dagcircuit import DAGCircuit
from qiskit.primitives import BitArray

from aqt_fast.exceptions import CircuitProblem

__all__ = [
    "JobState",
    "Noise",
    "Samples",
    "Snapshot",
    "Template",
    "__version__",
    "allocate_shots",
    "check_circuits",
    "compile_circuits",
    "count_gates",
    "decode_direct_response",
    "decode_response",
    "diagonalise",
    "encode_job",
    "expectations",
    "experiment_data",
    "group_terms",
    "half_spreads",
    "lower_dag",
    "make_samples",
    "other_nodes",
    "read_job",
    "read_template",
    "sample_trajectories",
]

__version__: str

@final
class Samples:
    """Packed measurement outcomes of one circuit: all its qubits, shot by shot.

    The methods map the outcomes to the classical bits of ``circuit``: each bit holds the qubit last
    measured into it, or 0. Without a circuit, bit i is qubit i. They raise
    ``ResponseMismatchError`` if the circuit has another number of qubits.
    """

    def __new__(cls, num_shots: int, num_qubits: int, rows: bytes) -> Samples:
        """Take packed outcomes in the layout of :attr:`rows`.

        Raises:
            ValueError: ``rows`` has another length, or sets bits beyond the last qubit.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    @staticmethod
    def from_memory(memory: Sequence[str], num_qubits: int) -> Samples:
        """Read the outcome of each shot from Qiskit's hexadecimal text: bit i is qubit i.

        Raises:
            ValueError: a text is no number of at most ``num_qubits`` bits.
        """
    @staticmethod
    def from_counts(counts: Mapping[str, int], num_qubits: int, seed: int) -> Samples:
        """Make shots from counts of Qiskit's hexadecimal text, in a random order.

        Each order is equally likely: shots that were independent still are. Only ``seed``, from 0
        to 2**64 - 1, decides about it, and not the order of ``counts``.

        Raises:
            ValueError: a text is no number of at most ``num_qubits`` bits.
        """
    def placed(self, qubits: Sequence[int], num_qubits: int) -> Samples:
        """The same shots of a larger circuit: qubit i becomes ``qubits[i]``. Others read 0.

        Raises:
            ValueError: there is not one qubit below ``num_qubits`` for each qubit of the samples.
        """
    @property
    def rows(self) -> bytes:
        """A row of ceil(``num_qubits`` / 8) bytes for each shot.

        Qubit q is bit q % 8 of byte q // 8; the bits beyond the last qubit are 0.
        """
    @property
    def num_shots(self) -> int:
        """Repetitions of the circuit."""
    @property
    def num_qubits(self) -> int:
        """Qubits a shot, unmeasured ones included."""
    @staticmethod
    def concatenate(parts: Sequence[Samples]) -> Samples:
        """The shots of several runs of one circuit, one after the other.

        Raises:
            ResponseMismatchError: there are no runs, or they differ in their numbers of qubits.
        """
    def counts(self, circuit: QuantumCircuit | None = None) -> dict[str, int]:
        """The number of each outcome, by Qiskit's hexadecimal text."""
    def memory(self, circuit: QuantumCircuit | None = None) -> list[str]:
        """The outcome of each shot, in order, as Qiskit's hexadecimal text."""
    def bit_array(self, circuit: QuantumCircuit | None = None) -> BitArray:
        """The outcomes as a ``BitArray`` of shape () over all classical bits."""

@final
class Snapshot:
    """A snapshot of checked circuits. Circuits are named by their indices, from 0."""

    def __new__(
        cls,
        circuits: Sequence[Any],
        *,
        max_qubits: int,
        max_operations: int,
        strict_angles: bool = False,
    ) -> Snapshot:
        """Read and check all circuits; raise ``InvalidCircuitError`` that lists every offender."""
    @staticmethod
    def joined(snapshots: Sequence[Snapshot]) -> Snapshot:
        """The circuits of snapshots, one after the other."""
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def to_bytes(self) -> bytes:
        """Write all circuits to an archive that later versions can read."""
    @staticmethod
    def from_bytes(data: bytes) -> Snapshot:
        """Read and check what :meth:`to_bytes` has written, whatever the sizes of its circuits.

        Raises:
            ValueError: ``byte N: reason``.
        """
    def num_qubits(self, index: int) -> int:
        """How many qubits a circuit has."""
    def num_clbits(self, index: int) -> int:
        """How many classical bits a circuit has, measured or not."""
    def operations(self, index: int) -> list[tuple[str, tuple[int, ...], tuple[float, ...]]]:
        """Name, qubits and angles of each gate: ``rz`` (φ), ``r`` (θ, φ) or ``rxx`` (θ).

        Angles are in radians and read back as the same angles.
        """
    def gate_counts(self) -> bytes:
        """How many r and how many rxx each circuit has.

        32-bit unsigned integers of shape (circuits, 2).
        """
    def measurements(self, index: int) -> list[tuple[int, int]]:
        """Qubit and classical bit of each final measurement, in the order of the latter."""
    def part(self, start: int, stop: int) -> Snapshot:
        """The circuits from start to before stop."""
    def active_qubits(self, index: int) -> list[int]:
        """The qubits on which gates act, in ascending order; qubit 0 if there are none."""
    def alike(self, start: int, stop: int, measured: bool) -> list[tuple[int, bytes]]:
        """Cut the circuits from start to before stop into runs that differ in their angles only.

        Each run is the longest of neighbours with the same gates on the same qubits, and with the
        same measured qubits if ``measured`` is set: the number of circuits, and their angles in
        radians as 64-bit floats of shape (angles, circuits). Angles are in the order of
        :meth:`operations`.
        """
    def fill(self, index: int, circuit: QuantumCircuit) -> None:
        """Append a circuit's gates on its active qubits, and a measurement of each of them.

        ``circuit`` has as many qubits and classical bits as there are active qubits. The qubit at
        place i of :meth:`active_qubits` becomes qubit i, measured into bit i.
        """
    def encode_job(
        self,
        start: int,
        stop: int,
        repetitions: int | Sequence[Sequence[int]],
        label: str | None,
    ) -> bytes:
        """Encode the request body of one API job with the circuits from start to before stop.

        ``repetitions`` are those of each circuit, or of each run of each circuit.
        """
    def encode_circuit(self, index: int, shots: int) -> bytes:
        """Encode the request body of direct access for one circuit."""
    def check_samples(
        self,
        samples: Sequence[Samples],
        start: int,
        stop: int,
        repetitions: int | Sequence[Sequence[int]],
    ) -> None:
        """Raise ``ResponseMismatchError`` for other numbers of runs, shots or qubits.

        There is one entry of samples for each run; ``repetitions`` are as for :meth:`encode_job`.
        """
    def experiment_data(
        self,
        samples: Sequence[Samples],
        start: int,
        stop: int,
        shots: int | Sequence[int],
        with_memory: bool,
    ) -> list[tuple[dict[str, int], list[str] | None]]:
        """Counts and, if wanted, memory of each circuit from start to before stop.

        Raises:
            ResponseMismatchError: the numbers of circuits, shots or qubits differ.
        """
    def bits(
        self, samples: Sequence[Samples], start: int, stop: int, clbits: Sequence[int]
    ) -> tuple[int, bytearray]:
        """The number of shots, and the outcomes of each circuit at these classical bits.

        The rows have the layout of Qiskit's ``BitArray``, one circuit after the other.

        Raises:
            ResponseMismatchError: the numbers of circuits or qubits differ, or the numbers of shots
                among the circuits.
            IndexError: there are no such circuits, or no such classical bits.
        """

@final
class Template:
    """A circuit with parameters, read once; see :func:`read_template`."""

    def sweep(
        self, angles: bytes, num_sets: int, *, max_qubits: int, max_operations: int
    ) -> Snapshot:
        """The circuits of sets of angles, compiled when they are needed.

        Args:
            angles: rows of little-endian 64-bit floats in radians, which are not copied; each row
                has an angle for each expression.
            num_sets: number of rows.
            max_qubits: limit of a circuit.
            max_operations: limit of a circuit, the final MEASURE included.

        Raises:
            InvalidCircuitError: lists every set whose circuit cannot run, by its index.
            ValueError: there are other angles than the template has.
        """

@final
class JobState:
    """The state of a job according to a response."""

    @property
    def status(self) -> Literal["queued", "ongoing", "finished", "error", "cancelled"]:
        """The status of the job."""
    @property
    def finished_count(self) -> int | None:
        """Number of finished circuits; a number while the job is ongoing."""
    @property
    def message(self) -> str | None:
        """Why the job failed; text if ``status`` is ``error``."""
    @property
    def samples(self) -> list[Samples] | None:
        """One entry a circuit, in circuit order; a list if ``status`` is ``finished``."""
    @property
    def timing(self) -> list[tuple[str, str]] | None:
        """Status changes as pairs of status and ISO 8601 time stamp; None if not requested."""
    @property
    def job_id(self) -> str | None:
        """The identifier of the job or run, if present."""
    @property
    def label(self) -> str | None:
        """The label of the job, if present; None with direct access."""

def check_circuits(
    circuits: Sequence[Any], *, max_qubits: int, max_operations: int, strict_angles: bool = False
) -> None:
    """Read and check all circuits; raise ``InvalidCircuitError`` that lists every offender."""

def count_gates(
    circuits: Sequence[Any],
    *,
    max_qubits: int,
    max_operations: int,
    strict_angles: bool = False,
) -> bytes:
    """Check like :func:`check_circuits`, and count as :meth:`Snapshot.gate_counts`."""

def encode_job(
    circuits: Sequence[Any],
    shots: int | Sequence[int],
    label: str | None,
    *,
    max_qubits: int,
    max_operations: int,
    strict_angles: bool = False,
) -> bytes:
    """Encode the request body of one API job; raise ``InvalidCircuitError`` as above."""

def decode_response(body: bytes) -> JobState:
    """Read the body of a result response.

    Raises:
        MalformedResponseError: the body is not valid JSON or not of the documented shape.
    """

def decode_direct_response(body: bytes) -> JobState:
    """Read the body of a result response of direct access; its samples are of one circuit.

    Raises:
        MalformedResponseError: the body is not valid JSON or not of the documented shape.
    """

def read_job(body: bytes) -> tuple[str | None, list[tuple[int, int]], list[tuple[int, int]]]:
    """Read the request body of an API job.

    Accepts what AQT's own models accept, except for numbers in other forms (``"7"``, ``true``;
    ``7.0`` for a whole number), keys with a meaning that occur twice, ``NaN``, ``Infinity``, and
    arrays and objects nested deeper than 127.

    Returns:
        The label; repetitions and number of qubits of each circuit; its numbers of R and RXX.

    Raises:
        MalformedRequestError: the body is not valid JSON or not a job that the API takes.
    """

def make_samples(body: bytes, seed: int) -> bytes:
    """Make samples up for the request body of an API job, as the ``result`` of a response.

    A circuit of RZ and of R with θ of 0 or π alone gives the outcomes of a device without errors:
    each shot has each qubit's parity of flips. Any other circuit gives random bits that depend on
    ``seed`` (0 to 2⁶⁴ − 1) and on its index and shape only.

    Returns:
        Compact JSON: ``{"0":[[0,1],…],"1":…}``.

    Raises:
        MalformedRequestError: as in :func:`read_job`.
    """

def experiment_data(
    samples: Sequence[Samples],
    circuits: Sequence[Any],
    shots: int | Sequence[int],
    with_memory: bool,
) -> list[tuple[dict[str, int], list[str] | None]]:
    """Counts and, if wanted, memory of each circuit.

    Raises:
        ResponseMismatchError: the numbers of circuits, shots or qubits differ.
    """

def other_nodes(dag: DAGCircuit) -> list[int]:
    """Indices of the nodes that are neither standard gates nor barriers nor measurements."""

def lower_dag(
    dag: DAGCircuit,
    merge: bool,
    final_measurements: bool,
    drop_resets: bool,
    only_standard: bool,
) -> (
    DAGCircuit
    | tuple[list[int | tuple[str, list[int], list[float]]], float]
    | list[tuple[int, int]]
    | None
):
    """Lower a DAG to AQT's operations.

    With ``drop_resets``, resets of qubits that nothing has used before are left out. Without
    ``final_measurements``, a measurement that is not its qubit's last operation stays in place.

    Returns:
        The new DAG, or the same DAG if there is nothing to do. If nodes have to be copied, the
        steps of the new DAG (the index of a node, or name, qubits and parameters of a gate) and an
        angle to add to the global phase. If operations follow the measurement of their qubit and
        ``final_measurements`` is set, the index of each such node, and the qubit. None if there are
        :func:`other_nodes` and ``only_standard`` is set.
    """

def compile_circuits(
    circuits: Sequence[Any],
    expand: Callable[[Any], tuple[QuantumCircuit, bool] | list[list[tuple[float, float]]] | str],
    synthesise: Callable[[QuantumCircuit], QuantumCircuit],
    *,
    max_qubits: int,
    level: int,
) -> tuple[
    list[tuple[int, tuple[QuantumCircuit, list[int] | None]]],
    list[CircuitProblem],
    list[CircuitProblem],
]:
    """Compile circuits of any gates to AQT's operations.

    Args:
        circuits: of exactly the class ``QuantumCircuit``.
        expand: maps an operation to a circuit, and whether ``synthesise`` may find a better one;
            to the matrix of a gate on one or two qubits, or of a larger gate that is not unitary;
            or to a text that says why there is neither.
        synthesise: maps a circuit to an equivalent one. The shorter one is used.
        max_qubits: limit of a circuit.
        level: 0 to 3, see :func:`aqt_fast.compile`.

    Returns:
        Three lists. The index of each compiled circuit with the circuit and the wire on which each
        qubit ends, None if all end on their own. Problems of circuits that only Qiskit's transpiler
        may know. Problems of circuits that cannot run; then others may not be compiled.
    """

def read_template(
    circuit: Any,
    expand: Callable[[Any], tuple[QuantumCircuit, bool] | list[list[tuple[float, float]]] | str],
    synthesise: Callable[[QuantumCircuit], QuantumCircuit],
    *,
    max_qubits: int,
    level: int,
) -> tuple[Template, list[Any]] | CircuitProblem:
    """Read a circuit of any gates, with parameters, for compiling it with many sets of them.

    Args:
        circuit: of exactly the class ``QuantumCircuit``.
        expand: as for :func:`compile_circuits`.
        synthesise: as for :func:`compile_circuits`.
        max_qubits: limit of the circuit.
        level: 0 to 3, see :func:`aqt_fast.compile`.

    Returns:
        The template and the ``ParameterExpression`` of each of its angles; or why there is none.
    """

def group_terms(
    x: bytes, z: bytes, weights: bytes, *, words: int, qubit_wise: bool
) -> list[list[int]]:
    """Divide terms into groups that commute. ``primitives.estimation.planner`` is the face.

    Here and below, arrays are C-contiguous and little-endian; masks have ``words`` uint64 a term.
    All raise ``ValueError`` if arrays do not fit together.
    """

def diagonalise(
    x: bytes, z: bytes, *, words: int
) -> tuple[list[tuple[str, list[int]]], bytearray, list[int]]:
    """Find a circuit that turns commuting terms into products of Z.

    Returns:
        Name and qubits of each gate; the masks of the Z's; 1 or −1 for each term.
    """

def expectations(
    rows: bytes,
    shape: tuple[int, int, int],
    masks: bytes,
    signs: bytes,
    observables: tuple[bytes, bytes, bytes],
    *,
    words: int,
) -> tuple[bytearray, bytearray, bytearray]:
    """Evaluate measured rows of shape (sets, shots, bytes).

    ``signs`` are int8. ``observables`` are the ends of their entries (int64, with the first 0),
    the terms (int64), and the coefficients (float64).

    Returns:
        float64 arrays: means of terms, means of observables, variances of a shot of observables.
    """

def half_spreads(
    masks: bytes, observables: tuple[bytes, bytes, bytes], *, words: int
) -> list[float]:
    """Half of the difference between the largest and the smallest value of each observable."""

def allocate_shots(variances: bytes, errors: bytes, *, groups: int, minimum: int) -> list[int]:
    """Find the fewest shots of groups; variances have shape (observables, groups).

    Raises:
        ValueError: a variance or a target error is out of range.
        OverflowError: a group needs more than 2⁵³ shots.
    """

_Step: TypeAlias = tuple[str, list[int], list[tuple[float, float]]]

@final
class Noise:
    """Noise of a device: mixtures of unitary errors and resets after gates, wrong readout.

    Args:
        mixtures: the number of qubits, 1 or 2, and the terms, of which one happens: its
            probability, and its steps in order. A step has a name, the qubits within the gate that
            it acts on (0 or 1), and entries. The names are ``x``, ``y``, ``z``, ``reset`` and
            ``unitary``: that has real and imaginary part of each entry of a matrix, row by row,
            where bit i of a row is the i-th of its qubits. Other steps have no entries.
        places: name of a gate (``rz``, ``r`` or ``rxx``), its qubits in order, and the index of the
            mixture that follows. No qubits stand for all which are not named.
        readouts: a qubit, or None for all which are not named; the probability to read 1 in state
            0; and that to read 0 in state 1.
        waiting: T1, T2 (at most T1), and the durations of r and rxx in seconds: qubits relax while
            gates act on others. None if they do not.
        over_rotation: how much farther r and rxx rotate than they should, as a fraction.

    Raises:
        ValueError: a mixture, place or probability is none.
    """

    def __new__(
        cls,
        mixtures: Sequence[tuple[int, Sequence[tuple[float, Sequence[_Step]]]]],
        places: Sequence[tuple[str, Sequence[int], int]],
        readouts: Sequence[tuple[int | None, float, float]],
        waiting: tuple[float, float, float, float] | None = None,
        over_rotation: float = 0.0,
    ) -> Noise: ...

def sample_trajectories(
    circuits: Snapshot,
    start: int,
    stop: int,
    noise: Noise,
    *,
    shots: int | Sequence[int],
    seeds: Sequence[int],
    method: Literal["trajectories", "density_matrix"] | None = None,
) -> list[Samples]:
    """Simulate the circuits from ``start`` to before ``stop`` with noise.

    Other threads run meanwhile. The outcomes of a circuit depend on its seed (0 to 2⁶⁴ − 1), its
    shots and the method, and not on other circuits; the shots are independent of each other, in any
    order. Without a method, each circuit is simulated by the one that is expected to take less
    time.

    Raises:
        ValueError: there is no such method.
        IndexError: there are no such circuits, or not one number of shots and one seed for each.
    """
