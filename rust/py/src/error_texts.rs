//! Faults → the exceptions of `aqt_fast.exceptions`. All words of errors are here, in one place to
//! compare them: so the file is long.

use aqt_compile::archive::Broken;
use aqt_core::{ArchiveErrorKind, BodyError, BodyErrorKind, CircuitError};
use aqt_estimate::{AllocationError, NotCommuting};
use aqt_sweep::archive::Fault;
use pyo3::{
    exceptions::{PyIndexError, PyOverflowError, PyRuntimeError, PyValueError},
    prelude::*,
    types::{PyTuple, PyType},
};

/// A problem of a circuit.
pub enum Problem {
    /// Not a `QuantumCircuit` but an object of the named type.
    NotACircuit { type_name: String },
    /// Parameters without a value.
    UnboundParameters { names: Vec<String> },
    /// An angle of the named type that no double can express.
    NotANumber { type_name: String },
    /// A matrix of another size than its operation's.
    MatrixDoesNotFit,
    /// A matrix that is not unitary.
    NotUnitary,
    /// A definition with other numbers of qubits or classical bits than its operation.
    DefinitionDoesNotFit,
    /// An exception of an operation whose definition was wanted.
    Raised { type_name: String, message: String },
    /// An operation that only Qiskit's transpiler may know, in Python's words.
    Unknown { reason: String },
    /// An operation of another meaning than that of the AQT operation with its name.
    Namesake,
    /// An operation with neither a definition nor a matrix.
    Opaque { name: String },
    /// An operation without a definition that no gate can stand for.
    NoSuchInstruction,
    /// A value for a classical variable.
    Variable,
    /// A reset of a qubit that nothing has used before.
    NeedlessReset,
    /// A gate after measurements of other qubits.
    AmongMeasurements,
    /// A problem of an instruction, with the qubits that it acts on.
    OnQubits { problem: Box<Problem>, qubits: Vec<u32> },
    /// A problem that the core finds.
    Circuit(CircuitError),
}

/// A problem with its place.
pub struct Offence {
    pub circuit: usize,
    pub instruction: Option<usize>,
    pub operation: Option<String>,
    pub problem: Problem,
}

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyType>> {
    Ok(py.import("aqt_fast.exceptions")?.getattr(name)?.cast_into()?)
}

fn raise(
    class: PyResult<Bound<'_, PyType>>,
    arguments: impl FnOnce(&Bound<'_, PyType>) -> PyResult<Py<PyAny>>,
) -> PyErr {
    match class.and_then(|class| {
        let value = arguments(&class)?;
        Ok(PyErr::from_value(value.into_bound(class.py())))
    }) {
        Ok(error) | Err(error) => error,
    }
}

/// `InvalidCircuitError` that lists all offences.
pub fn invalid_circuits(py: Python<'_>, offences: Vec<Offence>) -> PyErr {
    raise(class(py, "InvalidCircuitError"), |error| {
        Ok(error.call1((circuit_problems(py, offences)?,))?.unbind())
    })
}

/// `CircuitProblem` for each offence.
pub fn circuit_problems(py: Python<'_>, offences: Vec<Offence>) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let class = class(py, "CircuitProblem")?;
    let problem = |offence: Offence| {
        let (reason, value) = describe(&offence.problem);
        let qubits = PyTuple::new(py, qubits(&offence.problem))?;
        let mend = mend(&offence.problem, offence.operation.as_deref());
        let Offence { circuit, instruction, operation, .. } = offence;
        class.call1((circuit, instruction, operation, value, reason, qubits, mend))
    };
    offences.into_iter().map(problem).collect()
}

/// The qubits of a problem, empty if it is one of the circuit as a whole.
fn qubits(problem: &Problem) -> &[u32] {
    match problem {
        Problem::OnQubits { qubits, .. } => qubits,
        _ => &[],
    }
}

/// What the user can do about a problem.
fn mend(problem: &Problem, operation: Option<&str>) -> Option<&'static str> {
    Some(match problem {
        Problem::NotACircuit { type_name } if type_name == "str" => {
            "load OpenQASM with QuantumCircuit.from_qasm_str or qiskit.qasm3.loads"
        }
        Problem::UnboundParameters { .. } => "give them values with assign_parameters",
        Problem::NeedlessReset => "leave it out",
        Problem::AmongMeasurements => {
            "measure at the end, or transpile the circuit for the backend"
        }
        Problem::Namesake => "transpile the circuit for the backend",
        Problem::Opaque { .. } => "give it a definition",
        Problem::NoSuchInstruction => "remove it",
        Problem::Variable => "remove the variable",
        Problem::NotANumber { .. } => "give it a finite real number",
        Problem::MatrixDoesNotFit => "give it a matrix of 2ⁿ rows for n qubits",
        Problem::NotUnitary => "give it a unitary matrix",
        Problem::DefinitionDoesNotFit => "give its definition as many bits as it has",
        Problem::OnQubits { problem, .. } => return mend(problem, operation),
        Problem::Circuit(error) => match error {
            CircuitError::UnsupportedOperation => "transpile the circuit for the backend",
            CircuitError::ControlFlow => match operation {
                Some("for_loop" | "while_loop") => "unroll the loop",
                Some("box") => "append what is in the box",
                _ => "run a circuit for each branch",
            },
            CircuitError::Reset => "use a qubit that no operation has used",
            CircuitError::Delay => "leave it out",
            CircuitError::GateAfterMeasurement => "use another qubit, or measure at the end",
            CircuitError::NoMeasurement => "add one, with measure or measure_all",
            CircuitError::NoQubits => "add qubits, and measure them",
            CircuitError::TooManyQubits { .. } => "use fewer qubits, or a larger backend",
            CircuitError::TooManyOperations { .. } => "use fewer operations",
            CircuitError::AngleNotFinite { .. } => "give it a finite value",
            CircuitError::AngleOutOfRange { .. } => {
                "run without strict_angles, which folds it into the range"
            }
            _ => return None,
        },
        _ => return None,
    })
}

fn describe(problem: &Problem) -> (String, Option<f64>) {
    match problem {
        Problem::NotACircuit { type_name } => {
            (format!("not a QuantumCircuit but of type '{type_name}'"), None)
        }
        Problem::UnboundParameters { names } => {
            (format!("unbound parameters: {}", names.join(", ")), None)
        }
        Problem::NotANumber { type_name } => {
            (format!("an angle of type '{type_name}' is not a finite number"), None)
        }
        Problem::Unknown { reason } => (reason.clone(), None),
        Problem::MatrixDoesNotFit => ("its matrix does not fit its qubits".to_owned(), None),
        Problem::NotUnitary => ("its matrix is not unitary".to_owned(), None),
        Problem::DefinitionDoesNotFit => {
            ("its definition has other numbers of bits than the operation".to_owned(), None)
        }
        Problem::Raised { type_name, message } => {
            (format!("cannot be taken apart: {type_name}: {message}"), None)
        }
        Problem::Namesake => {
            let reason = "not an operation of AQT devices (rz, r, rxx, measure), in spite of its \
                          name: its definition is not made of them";
            (reason.to_owned(), None)
        }
        Problem::Opaque { name } => {
            (format!("'{name}' has neither a definition nor a matrix"), None)
        }
        Problem::NoSuchInstruction => ("AQT devices have no such instruction".to_owned(), None),
        Problem::Variable => ("AQT devices have no classical variables".to_owned(), None),
        Problem::NeedlessReset => {
            ("AQT devices reset all qubits at the beginning by themselves".to_owned(), None)
        }
        Problem::AmongMeasurements => {
            ("comes after a measurement; measurements must be the last operations".to_owned(), None)
        }
        Problem::OnQubits { problem, qubits } => {
            let (reason, value) = describe(problem);
            let what = if qubits.len() == 1 { "qubit" } else { "qubits" };
            let qubits: Vec<_> = qubits.iter().map(u32::to_string).collect();
            (format!("{reason} (on {what} {})", qubits.join(", ")), value)
        }
        Problem::Circuit(error) => describe_circuit_error(error),
    }
}

fn describe_circuit_error(error: &CircuitError) -> (String, Option<f64>) {
    match *error {
        CircuitError::UnsupportedOperation => {
            ("not an operation of AQT devices (rz, r, rxx, measure)".to_owned(), None)
        }
        CircuitError::ControlFlow => ("AQT devices have no control flow".to_owned(), None),
        CircuitError::Reset => {
            ("AQT devices reset qubits at the beginning of a circuit only".to_owned(), None)
        }
        CircuitError::Delay => ("AQT devices have no delays".to_owned(), None),
        CircuitError::AngleNotFinite { angle, value } => {
            (format!("{angle} is {value:?}, not a finite number"), Some(value))
        }
        CircuitError::AngleOutOfRange { angle, value, upper } => {
            let bound = match upper {
                2.0 => "2π",
                1.0 => "π",
                _ => "π/2",
            };
            (
                format!("{angle} = {value:?} is outside [0, {bound}], and strict_angles is set"),
                Some(value),
            )
        }
        CircuitError::DuplicateQubits { qubit } => (format!("acts twice on qubit {qubit}"), None),
        CircuitError::QubitOutOfRange { qubit, num_qubits } => {
            (format!("qubit {qubit} is not in the register of {num_qubits}"), None)
        }
        CircuitError::ClbitOutOfRange { clbit, num_clbits } => {
            (format!("classical bit {clbit} is not among the {num_clbits} of the circuit"), None)
        }
        CircuitError::GateAfterMeasurement => {
            ("comes after a measurement; measurements must be the last operations".to_owned(), None)
        }
        CircuitError::NoMeasurement => ("no measurement".to_owned(), None),
        CircuitError::NoQubits => ("no qubits".to_owned(), None),
        CircuitError::TooManyQubits { found, limit } => {
            (format!("{found} qubits, but the resource has {limit}"), None)
        }
        CircuitError::TooManyOperations { found, limit } => (
            format!(
                "{found} operations, the final measurement included, but at most {limit} can run"
            ),
            None,
        ),
    }
}

/// Stands for the message of a job that failed without one.
pub const NO_MESSAGE: &str = "the machine gave no reason";

/// `MalformedResponseError` with the byte offset.
pub fn malformed_response(py: Python<'_>, error: &BodyError) -> PyErr {
    malformed_body(class(py, "MalformedResponseError"), error)
}

/// `MalformedRequestError` with the byte offset.
pub fn malformed_request(py: Python<'_>, error: &BodyError) -> PyErr {
    malformed_body(class(py, "MalformedRequestError"), error)
}

fn malformed_body(class: PyResult<Bound<'_, PyType>>, error: &BodyError) -> PyErr {
    let reason = match &error.kind {
        BodyErrorKind::UnexpectedEnd => "the body ends in the middle of a value".to_owned(),
        BodyErrorKind::Expected(what) => format!("expected {what}"),
        BodyErrorKind::InvalidUtf8 => "a string is not valid UTF-8".to_owned(),
        BodyErrorKind::InvalidString => {
            "a string holds a control character or a broken escape".to_owned()
        }
        BodyErrorKind::TooDeep => "arrays and objects are nested too deep".to_owned(),
        BodyErrorKind::TrailingData => "something follows the end of the document".to_owned(),
        BodyErrorKind::DuplicateKey(key) => format!("key '{key}' stands twice"),
        BodyErrorKind::MissingKey(key) => format!("key '{key}' is missing"),
        BodyErrorKind::UnexpectedKey(key) => format!("key '{key}' does not belong here"),
        BodyErrorKind::UnknownKey(key) => format!("unknown key '{key}'"),
        BodyErrorKind::UnknownStatus(status) => format!("unknown job status '{status}'"),
        BodyErrorKind::NumberOutOfRange => "a number is out of range".to_owned(),
        BodyErrorKind::NotWithin { what, lower, upper } => {
            format!("{what} must be from {lower} to {upper}")
        }
        BodyErrorKind::UnknownJobType(name) => format!("unknown job type '{name}'"),
        BodyErrorKind::UnknownOperation(name) => format!("unknown operation '{name}'"),
        BodyErrorKind::Circuit(error) => describe_circuit_error(error).0,
        BodyErrorKind::InvalidCircuitIndex(key) => format!("'{key}' is no circuit index"),
        BodyErrorKind::MissingCircuit(index) => format!("no samples for circuit {index}"),
        BodyErrorKind::NotABit { circuit, shot, qubit } => {
            format!("circuit {circuit}, shot {shot}, qubit {qubit}: the sample is neither 0 nor 1")
        }
        BodyErrorKind::RaggedShot { circuit, shot, expected, found } => {
            format!("circuit {circuit}, shot {shot}: {found} samples instead of {expected}")
        }
    };
    raise(class, |class| Ok(class.call1((reason, error.offset))?.unbind()))
}

/// `ValueError` with the byte offset: an archive of circuits that cannot be read.
pub fn broken_archive(fault: &Fault) -> PyErr {
    let error = match fault {
        Fault::Circuits(error) => error,
        Fault::Sweeps(Broken { reason, offset }) => {
            return PyValueError::new_err(format!("byte {offset}: {reason}"));
        }
    };
    let reason = match &error.kind {
        ArchiveErrorKind::NotAnArchive => "not an archive of circuits".to_owned(),
        ArchiveErrorKind::UnknownVersion(version) => {
            format!("version {version} of the format is unknown")
        }
        ArchiveErrorKind::UnexpectedEnd => "the archive ends in the middle of a value".to_owned(),
        ArchiveErrorKind::TooFewBytes { count } => {
            format!("{count} are announced, but the archive is too short for them")
        }
        ArchiveErrorKind::UnknownOperation(tag) => format!("no operation has tag {tag}"),
        ArchiveErrorKind::AngleNotWithin { angle, value, lower, upper } => {
            format!("{angle} is {value:?}, but must be from {lower:?} to {upper:?} (units of π)")
        }
        ArchiveErrorKind::Circuit(error) => describe_circuit_error(error).0,
        ArchiveErrorKind::TrailingData => "something follows the last circuit".to_owned(),
    };
    PyValueError::new_err(format!("byte {}: {reason}", error.offset))
}

/// `IndexError`: a snapshot has no such circuits.
pub fn no_such_circuits() -> PyErr {
    PyIndexError::new_err("no such circuits")
}

/// `IndexError`.
pub fn no_such_clbits() -> PyErr {
    PyIndexError::new_err("no such classical bits")
}

/// `ValueError`: texts or rows that are no outcomes of so many qubits.
pub fn no_samples() -> PyErr {
    PyValueError::new_err("these are no outcomes of so many qubits")
}

/// How a readable response differs from what was requested.
pub enum Mismatch {
    /// A circuit measures a qubit that has no samples.
    QubitWithoutSamples,
    /// Other qubits a shot than the circuit has.
    Qubits { circuit: usize, found: usize, expected: u32 },
    /// Runs of circuits with different numbers of qubits, or no runs.
    DifferentRuns,
    /// Another number of circuits.
    Circuits { found: usize, expected: usize },
    /// Another number of shots.
    Shots { circuit: usize, found: usize, expected: u32 },
}

/// `ResponseMismatchError`.
pub fn response_mismatch(py: Python<'_>, mismatch: &Mismatch) -> PyErr {
    let message = match mismatch {
        Mismatch::QubitWithoutSamples => "a measured qubit has no samples".to_owned(),
        Mismatch::Qubits { circuit, found, expected } => {
            format!("circuit {circuit}: {found} qubits a shot instead of {expected}")
        }
        Mismatch::DifferentRuns => "runs of different circuits".to_owned(),
        Mismatch::Circuits { found, expected } => {
            format!("samples of {found} circuits for {expected}")
        }
        Mismatch::Shots { circuit, found, expected } => {
            format!("circuit {circuit}: {found} shots instead of {expected}")
        }
    };
    raise(class(py, "ResponseMismatchError"), |class| Ok(class.call1((message,))?.unbind()))
}

/// Why the installed Qiskit cannot be used.
#[derive(Clone, Copy)]
pub enum QiskitFault {
    /// Its minor version was not tested.
    Untested,
    /// It exports no function table.
    NoTable,
    /// Its function table is of another version.
    OtherTable { api_version: u32 },
    /// A known circuit differs after a round trip.
    OtherCircuit,
    /// A known DAG differs after a round trip.
    OtherDag,
}

/// `UnsupportedQiskitError`.
pub fn unsupported_qiskit(
    py: Python<'_>,
    found: &str,
    tested: &[(u32, u32)],
    fault: QiskitFault,
) -> PyErr {
    let versions = |last_separator: &str| {
        let names: Vec<_> =
            tested.iter().map(|(major, minor)| format!("{major}.{minor}")).collect();
        match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{}{last_separator}{last}", others.join(", ")),
            None => String::new(),
        }
    };
    let fault = match fault {
        QiskitFault::Untested => "its C API is untested".to_owned(),
        QiskitFault::NoTable => "it does not export its C API to extension modules".to_owned(),
        QiskitFault::OtherTable { api_version } => {
            format!("its C API has version {api_version:#010x}")
        }
        QiskitFault::OtherCircuit => "a known circuit differs after a round trip".to_owned(),
        QiskitFault::OtherDag => "a known DAG differs after a round trip".to_owned(),
    };
    let reason = format!(
        "{fault}; tested are {}: install Qiskit {}, or a newer aqt-fast",
        versions(" and "),
        versions(" or "),
    );
    raise(class(py, "UnsupportedQiskitError"), |class| Ok(class.call1((found, reason))?.unbind()))
}

/// A Qiskit call that broke its own contract.
pub enum ApiFault {
    /// An object has no native data.
    Borrow,
    /// A circuit refuses an operation.
    Append,
    /// A circuit measures a qubit into a bit that it does not have.
    Read,
    /// A definition is no circuit.
    NotACircuit,
}

/// `RuntimeError`.
pub fn api_failed(fault: ApiFault) -> PyErr {
    let what = match fault {
        ApiFault::Borrow => "an object has no native data",
        ApiFault::Append => "a circuit refuses an operation",
        ApiFault::Read => "a circuit measures into a bit that it does not have",
        ApiFault::NotACircuit => "a definition is no circuit",
    };
    PyRuntimeError::new_err(format!("Qiskit's C API failed: {what}"))
}

/// The reason against an operation whose definition contains itself.
pub fn endless_definition(name: &str) -> String {
    format!("the definition of '{name}' contains itself")
}

/// `ValueError`: arrays of the planner do not fit together.
pub fn arrays_do_not_fit() -> PyErr {
    PyValueError::new_err("arrays of different sizes, or with indices beyond what they index")
}

/// `ValueError`: terms that have no common basis.
pub fn not_commuting(pair: &NotCommuting) -> PyErr {
    let NotCommuting { first, second } = pair;
    PyValueError::new_err(format!("terms {first} and {second} do not commute"))
}

/// `ValueError` or `OverflowError`: no allocation of shots.
pub fn allocation_failed(error: &AllocationError) -> PyErr {
    match error {
        AllocationError::Variance { observable, group } => PyValueError::new_err(format!(
            "the variance of observable {observable} in group {group} is negative or not finite"
        )),
        AllocationError::Error { observable } => PyValueError::new_err(format!(
            "the target error of observable {observable} is not positive or not finite"
        )),
        AllocationError::TooMany { group } => {
            PyOverflowError::new_err(format!("group {group} needs more than 2^53 shots"))
        }
    }
}

/// Terms that are no mixture of unitary errors and resets.
pub fn no_mixture(index: usize) -> PyErr {
    PyValueError::new_err(format!(
        "mixture {index}: no terms of unitary matrices and resets on the qubits of a gate, or \
         probabilities whose sum is not 1"
    ))
}

/// A mixture that cannot follow this gate.
pub fn no_place_of_noise(gate: &str, qubits: &[u32]) -> PyErr {
    PyValueError::new_err(format!("no noise of this size can follow '{gate}' on {qubits:?}"))
}

/// Times that cannot be: T1, T2, durations of r and rxx.
pub fn no_waiting(t1: f64, t2: f64, r: f64, rxx: f64) -> PyErr {
    PyValueError::new_err(format!(
        "no relaxation by resets and phase flips has T1 = {t1} s and T2 = {t2} s, or gates take \
         {r} s and {rxx} s, which is no time"
    ))
}

/// A fraction that is none.
pub fn no_over_rotation(fraction: f64) -> PyErr {
    PyValueError::new_err(format!("gates cannot rotate farther by the fraction {fraction}"))
}

/// Probabilities that are none.
pub fn no_readout_error(one_of_zero: f64, zero_of_one: f64) -> PyErr {
    PyValueError::new_err(format!(
        "{one_of_zero} and {zero_of_one} are no probabilities of a readout error"
    ))
}

/// An unknown method of simulation.
pub fn no_method(name: &str) -> PyErr {
    PyValueError::new_err(format!("no method '{name}': 'trajectories' or 'density_matrix'"))
}
