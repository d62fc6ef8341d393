//! Faults of circuits, responses, requests and archives: kind and position, no prose.

/// Why a circuit cannot run on an AQT device.
#[derive(Clone, Debug, PartialEq)]
pub enum CircuitError {
    /// An operation outside RZ, R, RXX, measurement and barrier.
    UnsupportedOperation,
    /// A block of classically controlled operations.
    ControlFlow,
    /// A reset of a qubit that was used before.
    Reset,
    /// A delay.
    Delay,
    /// An angle that is NaN or infinite.
    AngleNotFinite {
        /// Name of the angle: `phi` or `theta`, or the number of a parameter.
        angle: &'static str,
        /// The value, in radians.
        value: f64,
    },
    /// An angle outside the range that the device accepts.
    AngleOutOfRange {
        /// Name of the angle: `phi` or `theta`.
        angle: &'static str,
        /// The value, in radians.
        value: f64,
        /// Upper bound in units of π; the lower bound is 0.
        upper: f64,
    },
    /// A two-qubit operation on one qubit.
    DuplicateQubits {
        /// The qubit that was named twice.
        qubit: u32,
    },
    /// A qubit index that the circuit does not have.
    QubitOutOfRange {
        /// The index.
        qubit: u32,
        /// Number of qubits of the circuit.
        num_qubits: u32,
    },
    /// A classical bit that the circuit does not have.
    ClbitOutOfRange {
        /// The index.
        clbit: u32,
        /// Number of classical bits.
        num_clbits: u32,
    },
    /// A gate that follows a measurement.
    GateAfterMeasurement,
    /// No measurement at all.
    NoMeasurement,
    /// No qubit at all.
    NoQubits,
    /// More qubits than the resource has.
    TooManyQubits {
        /// Qubits of the circuit.
        found: u32,
        /// Qubits of the resource.
        limit: u32,
    },
    /// More operations than one circuit may have, the final MEASURE included.
    TooManyOperations {
        /// Operations that the circuit needs.
        found: usize,
        /// Operations that the API takes.
        limit: usize,
    },
}

impl CircuitError {
    /// Whether an angle is finite, but outside its range.
    #[must_use]
    pub fn is_of_range(&self) -> bool {
        matches!(self, Self::AngleOutOfRange { .. })
    }
}

/// An archive of circuits that cannot be read, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchiveError {
    /// What is wrong.
    pub kind: ArchiveErrorKind,
    /// Byte offset into the archive at which it shows.
    pub offset: usize,
}

/// Why an archive of circuits cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub enum ArchiveErrorKind {
    /// It does not start with `circuit::archive::MAGIC`.
    NotAnArchive,
    /// A version other than `circuit::archive::VERSION`.
    UnknownVersion(u8),
    /// The archive stops in the middle of a value.
    UnexpectedEnd,
    /// More circuits, operations or classical bits than the bytes that follow can hold.
    TooFewBytes {
        /// How many there should be.
        count: u32,
    },
    /// A tag that stands for no operation.
    UnknownOperation(u8),
    /// An angle that no checked operation has: NaN, outside its range, or −0 where the range starts
    /// at 0.
    AngleNotWithin {
        /// Name of the angle: `phi` or `theta`.
        angle: &'static str,
        /// The value in units of π.
        value: f64,
        /// Lower bound in units of π.
        lower: f64,
        /// Upper bound in units of π.
        upper: f64,
    },
    /// Operations or classical bits that make no valid circuit.
    Circuit(CircuitError),
    /// Something after the last circuit.
    TrailingData,
}

/// A response or request body that cannot be read, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct BodyError {
    /// What is wrong.
    pub kind: BodyErrorKind,
    /// Byte offset into the body at which it shows.
    pub offset: usize,
}

/// Why a response or request body cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub enum BodyErrorKind {
    /// The body stops in the middle of a value.
    UnexpectedEnd,
    /// A byte that JSON or the schema does not allow here.
    Expected(&'static str),
    /// A string that is not UTF-8.
    InvalidUtf8,
    /// A control character, a broken escape or a lone surrogate in a string.
    InvalidString,
    /// More nested arrays and objects than `wire::MAX_DEPTH`.
    TooDeep,
    /// Something after the end of the document.
    TrailingData,
    /// A key with a meaning that occurs twice in its object.
    DuplicateKey(String),
    /// A missing key that the status or the kind of object demands.
    MissingKey(&'static str),
    /// A key that its object must not have.
    UnexpectedKey(&'static str),
    /// An undefined key in an object that allows only defined ones.
    UnknownKey(String),
    /// A status that the interface does not define.
    UnknownStatus(String),
    /// A number that does not fit its field.
    NumberOutOfRange,
    /// An angle, a number or an amount outside the range that the interface takes.
    NotWithin {
        /// The key, or what there are too few or too many of.
        what: &'static str,
        /// Lower bound; angles in units of π.
        lower: f64,
        /// Upper bound; angles in units of π.
        upper: f64,
    },
    /// A job type other than `quantum_circuit`.
    UnknownJobType(String),
    /// An operation that the interface does not define.
    UnknownOperation(String),
    /// Operations that make no valid circuit.
    Circuit(CircuitError),
    /// A circuit index that is not a plain decimal number.
    InvalidCircuitIndex(String),
    /// A circuit index without samples, below others with samples.
    MissingCircuit(usize),
    /// A sample that is neither 0 nor 1.
    NotABit {
        /// Circuit index.
        circuit: usize,
        /// Shot index.
        shot: usize,
        /// Qubit index.
        qubit: usize,
    },
    /// A shot that has another number of qubits than the circuit's first one.
    RaggedShot {
        /// Circuit index.
        circuit: usize,
        /// Shot index.
        shot: usize,
        /// Qubits of the circuit's first shot.
        expected: usize,
        /// Qubits of this shot.
        found: usize,
    },
}
