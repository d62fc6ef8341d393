//! What can be wrong with a circuit or a response: kind and position, no prose.

/// Why a circuit cannot run on an AQT device.
#[derive(Clone, Debug, PartialEq)]
pub enum CircuitError {
    /// An operation outside RZ, R, RXX, measurement and barrier.
    UnsupportedOperation,
    /// A block of classically controlled operations.
    ControlFlow,
    /// An angle that is NaN or infinite.
    AngleNotFinite {
        /// Name of the angle: `phi` or `theta`.
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
    /// A qubit index that the circuit's register does not have.
    QubitOutOfRange {
        /// The index.
        qubit: u32,
        /// Size of the register.
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

/// A response body that cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseError {
    /// What is wrong.
    pub kind: ResponseErrorKind,
    /// Byte offset into the body at which it shows.
    pub offset: usize,
}

/// Why a response body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseErrorKind {
    /// The body stops in the middle of a value.
    UnexpectedEnd,
    /// A byte that JSON or the schema does not allow here.
    Expected(&'static str),
    /// A string that is not UTF-8.
    InvalidUtf8,
    /// A control character, a broken escape or a lone surrogate in a string.
    InvalidString,
    /// More nested arrays and objects than [`crate::response::MAX_DEPTH`].
    TooDeep,
    /// Something after the end of the document.
    TrailingData,
    /// A key that carries meaning and stands twice in its object.
    DuplicateKey(String),
    /// A key that the status calls for and that is not there.
    MissingKey(&'static str),
    /// A status that the interface does not define.
    UnknownStatus(String),
    /// A number that does not fit its field.
    NumberOutOfRange,
    /// A circuit index that is not a plain decimal number.
    InvalidCircuitIndex(String),
    /// A circuit index for which the result has no samples, although it has higher ones.
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
