//! A Qiskit circuit of any gates → a program; Python explains what is not known natively.

use aqt_core::{
    CircuitError, Limits,
    compile::{Item, Program},
    complex::{Complex, Matrix, rotation_of},
    decompose::Gate,
};
use pyo3::{
    exceptions::PyException,
    intern,
    prelude::*,
    types::{PyList, PyString},
};

use crate::{
    error::{self, Offence, Problem},
    qiskit::{
        Parts, Table,
        circuit::{Borrowed, not_a_circuit, not_a_number, offence},
        kind,
    },
};

/// Definitions within definitions; what goes deeper contains itself.
const MAX_DEPTH: usize = 200;

/// How far products of a unitary's rows may be from 0 or 1.
const UNITARY: f64 = 1e-6;

/// Functions of `aqt_fast.compiler` that explain what is not known natively.
pub struct Explain<'a, 'py> {
    /// An operation → what it is made of.
    pub expand: &'a Bound<'py, PyAny>,
    /// A circuit → one that Qiskit's synthesis plugins have made of it.
    pub synthesise: &'a Bound<'py, PyAny>,
}

/// What an operation that is not known natively is made of.
enum Expansion<'py> {
    /// A circuit that does the same, and whether Qiskit has synthesis plugins for the operation.
    Circuit(Bound<'py, PyAny>, bool),
    /// The matrix of a gate on one or two qubits; the first qubit is the lower bit. Of a larger
    /// gate only if it is not unitary.
    Matrix(Vec<Vec<(f64, f64)>>),
    /// Why there is neither.
    Reason(String),
}

impl<'py> Expansion<'py> {
    fn of(operation: &Bound<'py, PyAny>, explain: &Explain<'_, 'py>) -> PyResult<Self> {
        let value = explain.expand.call1((operation,))?;
        if value.is_instance_of::<PyString>() {
            value.extract().map(Self::Reason)
        } else if value.is_instance_of::<PyList>() {
            value.extract().map(Self::Matrix)
        } else {
            value.extract().map(|(circuit, with_plugins)| Self::Circuit(circuit, with_plugins))
        }
    }
}

/// A circuit that was read.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) program: Program,
    /// The circuit's own global phase: the alternative's differs from the source's.
    pub(super) phase: f64,
    /// Qubit and classical bit of each measurement.
    pub(super) measurements: Vec<(u32, u32)>,
    /// Whether each qubit was acted upon.
    used: Vec<bool>,
    /// Barriers with a label, by their numbers, with the operation.
    pub(super) labelled: Vec<(usize, Py<PyAny>)>,
    num_barriers: usize,
    /// Whether it has operations that Qiskit has synthesis plugins for.
    pub(super) with_plugins: bool,
    /// Which instruction cannot be compiled here, and why, if so.
    pub(super) refused: Option<(usize, String)>,
}

/// Why a circuit cannot run, and where it shows: an index into its instructions.
pub(super) struct Failure {
    instruction: Option<usize>,
    fault: Fault,
    qubits: Vec<u32>,
}

/// What is wrong.
enum Fault {
    /// The object is no circuit.
    NotACircuit,
    Circuit(CircuitError),
    /// What only reading it as a Python object shows.
    Seen(Problem),
}

impl Failure {
    /// An instruction that cannot be compiled here.
    pub(super) fn unknown(instruction: usize, reason: String) -> Self {
        let fault = Fault::Seen(Problem::Unknown { reason });
        Self { instruction: Some(instruction), fault, qubits: Vec::new() }
    }

    pub(super) fn describe(self, object: &Bound<'_, PyAny>, circuit: usize) -> PyResult<Offence> {
        let mut offence = match self.fault {
            Fault::NotACircuit => return not_a_circuit(object, circuit),
            Fault::Circuit(error) => offence(object, circuit, self.instruction, error)?,
            Fault::Seen(problem) => {
                let operation = match self.instruction {
                    Some(index) => Some(operation(object, index)?.getattr("name")?.extract()?),
                    None => None,
                };
                Offence { circuit, instruction: self.instruction, operation, problem }
            }
        };
        if !self.qubits.is_empty() {
            let (problem, qubits) = (Box::new(offence.problem), self.qubits);
            offence.problem = Problem::OnQubits { problem, qubits };
        }
        Ok(offence)
    }
}

/// One instruction before its qubits are put in place.
enum Raw {
    Item(Item),
    Measure {
        qubit: u32,
        clbit: u32,
    },
    Reset {
        qubit: u32,
    },
    /// Python must say what it is.
    Unknown,
    Refused(CircuitError),
}

/// What was read, or why it cannot be.
type Read<T> = PyResult<Result<T, Failure>>;

pub(super) fn read_circuit<'py>(
    table: &Table,
    object: &Bound<'py, PyAny>,
    explain: &Explain<'_, 'py>,
    limits: Limits,
) -> Read<Reading> {
    let whole = |fault| Failure { instruction: None, fault, qubits: Vec::new() };
    let Some(borrowed) = Borrowed::new(table, object)? else {
        return Ok(Err(whole(Fault::NotACircuit)));
    };
    let num_qubits = borrowed.num_qubits();
    drop(borrowed);
    if num_qubits > limits.qubits {
        let error = CircuitError::TooManyQubits { found: num_qubits, limit: limits.qubits };
        return Ok(Err(whole(Fault::Circuit(error))));
    }
    let mut reading = Reading { used: vec![false; num_qubits as usize], ..Reading::default() };
    match global_phase(object)? {
        Ok(phase) => reading.phase = phase,
        Err(fault) => return Ok(Err(whole(fault))),
    }
    reading.program.num_qubits = num_qubits;
    reading.program.measured = vec![false; num_qubits as usize];
    let scope = Scope { qubits: None, clbits: None, instruction: None, depth: 0 };
    match reading.append(table, object, explain, &scope)? {
        Ok(()) => Ok(Ok(reading)),
        Err(failure) => Ok(Err(failure)),
    }
}

/// Where the instructions of a circuit go: none of the maps for the circuit itself.
struct Scope<'a> {
    qubits: Option<&'a [u32]>,
    clbits: Option<&'a [u32]>,
    /// The instruction of the circuit itself that these are part of.
    instruction: Option<usize>,
    depth: usize,
}

impl Scope<'_> {
    fn qubit(&self, qubit: u32) -> u32 {
        self.qubits.map_or(qubit, |qubits| qubits[qubit as usize])
    }

    fn clbit(&self, clbit: u32) -> u32 {
        self.clbits.map_or(clbit, |clbits| clbits[clbit as usize])
    }
}

impl Reading {
    /// Appends the instructions of `object`, a `QuantumCircuit`.
    fn append<'py>(
        &mut self,
        table: &Table,
        object: &Bound<'py, PyAny>,
        explain: &Explain<'_, 'py>,
        scope: &Scope<'_>,
    ) -> Read<()> {
        let py = object.py();
        let raw: Vec<_> = {
            let Some(borrowed) = Borrowed::new(table, object)? else {
                return Err(error::qiskit_failed("a definition is no circuit"));
            };
            (0..borrowed.num_instructions).map(|index| read_raw(&borrowed, index)).collect()
        };
        self.program.items.reserve(raw.len());
        for (index, raw) in raw.into_iter().enumerate() {
            let failed = |error, qubits| {
                let instruction = Some(scope.instruction.unwrap_or(index));
                Ok(Err(Failure { instruction, fault: Fault::Circuit(error), qubits }))
            };
            match raw {
                Raw::Item(mut item) => {
                    let (qubits, is_barrier) = match &mut item {
                        Item::Gate(gate, qubits) => (&mut qubits[..gate.num_qubits()], false),
                        Item::Unitary(_, qubits) => (&mut qubits[..], false),
                        Item::Barrier(qubits) => (&mut qubits[..], true),
                    };
                    for qubit in qubits.iter_mut() {
                        *qubit = scope.qubit(*qubit);
                    }
                    if is_barrier {
                        let operation = operation(object, index)?;
                        if !operation.getattr(intern!(py, "label"))?.is_none() {
                            self.labelled.push((self.num_barriers, operation.unbind()));
                        }
                        self.num_barriers += 1;
                    } else if let Some(qubit) = self.act(qubits) {
                        return failed(CircuitError::GateAfterMeasurement, vec![qubit]);
                    }
                    self.program.items.push(item);
                }
                Raw::Measure { qubit, clbit } => {
                    let qubit = scope.qubit(qubit);
                    self.program.measured[qubit as usize] = true;
                    self.measurements.push((qubit, scope.clbit(clbit)));
                }
                Raw::Reset { qubit } => {
                    let qubit = scope.qubit(qubit);
                    // A device prepares all qubits in |0⟩ anyway.
                    if self.used[qubit as usize] || self.program.measured[qubit as usize] {
                        return failed(CircuitError::Reset, vec![qubit]);
                    }
                }
                Raw::Refused(error) => {
                    let (qubits, _) = bits(object, index)?;
                    return failed(error, qubits.into_iter().map(|it| scope.qubit(it)).collect());
                }
                Raw::Unknown => {
                    let (qubits, clbits) = bits(object, index)?;
                    let qubits: Vec<_> = qubits.into_iter().map(|it| scope.qubit(it)).collect();
                    let clbits: Vec<_> = clbits.into_iter().map(|it| scope.clbit(it)).collect();
                    let inner = Scope {
                        qubits: Some(&qubits),
                        clbits: Some(&clbits),
                        instruction: Some(scope.instruction.unwrap_or(index)),
                        depth: scope.depth + 1,
                    };
                    let operation = operation(object, index)?;
                    let done = self.append_unknown(table, &operation, explain, &inner)?;
                    if done.is_err() {
                        return Ok(done);
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    /// Appends an operation that Python must explain.
    fn append_unknown<'py>(
        &mut self,
        table: &Table,
        operation: &Bound<'py, PyAny>,
        explain: &Explain<'_, 'py>,
        scope: &Scope<'_>,
    ) -> Read<()> {
        let failed =
            |fault, qubits| Ok(Err(Failure { instruction: scope.instruction, fault, qubits }));
        let qubits = scope.qubits.unwrap_or_default();
        let expansion = if scope.depth > MAX_DEPTH {
            let name: String = operation.getattr("name")?.extract()?;
            Ok(Expansion::Reason(format!("the definition of '{name}' contains itself")))
        } else {
            Expansion::of(operation, explain)
        };
        let expansion = match expansion {
            Ok(expansion) => expansion,
            Err(raised) => return failed(Fault::Seen(broken(operation.py(), raised)?), vec![]),
        };
        match expansion {
            Expansion::Reason(reason) => {
                if self.refused.is_none() {
                    let index = scope.instruction.unwrap_or_default();
                    self.refused = Some((index, reason));
                }
                self.act(qubits);
            }
            Expansion::Matrix(rows) => {
                if let Some(qubit) = self.act(qubits) {
                    return failed(Fault::Circuit(CircuitError::GateAfterMeasurement), vec![qubit]);
                }
                match unitary(&rows, qubits) {
                    Ok(item) => self.program.items.push(item),
                    Err(problem) => return failed(Fault::Seen(problem), vec![]),
                }
            }
            Expansion::Circuit(circuit, with_plugins) => {
                self.with_plugins |= with_plugins;
                let found: usize = circuit.getattr("num_qubits")?.extract()?;
                let num_clbits: usize = circuit.getattr("num_clbits")?.extract()?;
                let fits =
                    found == qubits.len() && num_clbits <= scope.clbits.unwrap_or_default().len();
                if !fits {
                    return failed(Fault::Seen(Problem::DefinitionDoesNotFit), vec![]);
                }
                let phase = match global_phase(&circuit)? {
                    Ok(phase) => phase,
                    Err(fault) => return failed(fault, qubits.to_vec()),
                };
                self.program.items.push(Item::Gate(Gate::Phase(phase), [0; 4]));
                return self.append(table, &circuit, explain, scope);
            }
        }
        Ok(Ok(()))
    }

    /// Notes that these qubits are acted upon; returns one that was measured before.
    fn act(&mut self, qubits: &[u32]) -> Option<u32> {
        for &qubit in qubits {
            self.used[qubit as usize] = true;
        }
        qubits.iter().copied().find(|&qubit| self.program.measured[qubit as usize])
    }
}

/// The global phase of a circuit, in radians.
fn global_phase(circuit: &Bound<'_, PyAny>) -> PyResult<Result<f64, Fault>> {
    let py = circuit.py();
    let object = circuit.getattr(intern!(py, "global_phase"))?;
    let value = match object.extract::<f64>() {
        Ok(value) if value.is_finite() => return Ok(Ok(value)),
        Ok(value) => value,
        Err(_) => f64::NAN,
    };
    let not_finite = CircuitError::AngleNotFinite { angle: "the global phase", value };
    let problem = not_a_number(&object)?.unwrap_or(Problem::Circuit(not_finite));
    Ok(Err(Fault::Seen(problem)))
}

fn read_raw(borrowed: &Borrowed<'_>, index: usize) -> Raw {
    match borrowed.kind(index) {
        kind::GATE => borrowed.read(index, standard_gate),
        kind::BARRIER => {
            borrowed.read(index, |parts| Raw::Item(Item::Barrier(parts.qubits.to_vec())))
        }
        kind::MEASURE => borrowed
            .read(index, |parts| Raw::Measure { qubit: parts.qubits[0], clbit: parts.clbits[0] }),
        kind::RESET => borrowed.read(index, |parts| Raw::Reset { qubit: parts.qubits[0] }),
        kind::DELAY => Raw::Refused(CircuitError::Delay),
        kind::CONTROL_FLOW => Raw::Refused(CircuitError::ControlFlow),
        _ => Raw::Unknown,
    }
}

fn standard_gate(parts: &Parts<'_>) -> Raw {
    const NAMES: [&str; 4] = ["parameter 0", "parameter 1", "parameter 2", "parameter 3"];
    let (mut params, mut qubits) = ([0.0; 4], [0; 4]);
    if parts.num_params > params.len() || parts.qubits.len() > qubits.len() {
        return Raw::Unknown;
    }
    qubits[..parts.qubits.len()].copy_from_slice(parts.qubits);
    for (number, param) in params.iter_mut().enumerate().take(parts.num_params) {
        *param = (parts.param)(number);
        if !param.is_finite() {
            let (angle, value) = (NAMES[number], *param);
            return Raw::Refused(CircuitError::AngleNotFinite { angle, value });
        }
    }
    match Gate::standard(parts.name, parts.qubits.len(), &params[..parts.num_params]) {
        Some(gate) => Raw::Item(Item::Gate(gate, qubits)),
        None => Raw::Unknown,
    }
}

/// The problem of an operation whose code raised; what ends the process goes on its way.
pub(super) fn broken(py: Python<'_>, raised: PyErr) -> PyResult<Problem> {
    if !raised.is_instance_of::<PyException>(py) {
        return Err(raised);
    }
    let message = raised.value(py).str()?.to_string();
    Ok(Problem::Raised { type_name: raised.get_type(py).name()?.to_string(), message })
}

/// The operation of an instruction, as a Python object.
fn operation<'py>(circuit: &Bound<'py, PyAny>, index: usize) -> PyResult<Bound<'py, PyAny>> {
    let py = circuit.py();
    circuit.getattr(intern!(py, "_data"))?.get_item(index)?.getattr(intern!(py, "operation"))
}

/// Indices of the qubits and classical bits of an instruction.
fn bits(circuit: &Bound<'_, PyAny>, index: usize) -> PyResult<(Vec<u32>, Vec<u32>)> {
    let py = circuit.py();
    let instruction = circuit.getattr(intern!(py, "_data"))?.get_item(index)?;
    let indices = |name| -> PyResult<Vec<u32>> {
        let bits = instruction.getattr(name)?;
        bits.try_iter()?
            .map(|bit| {
                let place = circuit.call_method1(intern!(py, "find_bit"), (bit?,))?;
                place.getattr(intern!(py, "index"))?.extract()
            })
            .collect()
    };
    Ok((indices("qubits")?, indices("clbits")?))
}

fn unitary(rows: &[Vec<(f64, f64)>], qubits: &[u32]) -> Result<Item, Problem> {
    fn matrix<const N: usize>(rows: &[Vec<(f64, f64)>]) -> Result<Matrix<N>, Problem> {
        let mut matrix = [[Complex::ZERO; N]; N];
        if rows.len() != N || rows.iter().any(|row| row.len() != N) {
            return Err(Problem::MatrixDoesNotFit);
        }
        for (row, entries) in matrix.iter_mut().zip(rows) {
            for (entry, &(re, im)) in row.iter_mut().zip(entries) {
                *entry = Complex::new(re, im);
            }
        }
        if is_unitary(rows) { Ok(matrix) } else { Err(Problem::NotUnitary) }
    }
    match *qubits {
        [qubit] => matrix(rows).map(|unitary| {
            let (rotation, phase) = rotation_of(&unitary);
            Item::Gate(Gate::Single { rotation: rotation.into(), phase }, [qubit, 0, 0, 0])
        }),
        [low, high] => matrix(rows).map(|unitary| Item::Unitary(Box::new(unitary), [high, low])),
        _ => Err(Problem::NotUnitary), // why else Python gives the matrix of a larger gate
    }
}

/// Whether the rows are orthonormal, within [`UNITARY`]; not if there is a NaN.
fn is_unitary(rows: &[Vec<(f64, f64)>]) -> bool {
    rows.iter().enumerate().all(|(i, a)| {
        rows.iter().enumerate().all(|(j, b)| {
            let (mut re, mut im) = (if i == j { -1.0 } else { 0.0 }, 0.0);
            for (&(a, b), &(c, d)) in a.iter().zip(b) {
                re += a * c + b * d;
                im += b * c - a * d;
            }
            f64::hypot(re, im) <= UNITARY
        })
    })
}
