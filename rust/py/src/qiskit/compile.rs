//! Qiskit circuits of any gates → circuits of AQT's operations.
//!
//! Circuits are read and built with Python's lock held, and compiled without it.

use std::{num::NonZero, thread};

use aqt_core::{
    CircuitError, Limits,
    compile::{Compiled, Effort, Item, Program, compile},
    complex::{Complex, Matrix, rotation_of},
    decompose::Gate,
    lower::Step,
};
use pyo3::{
    exceptions::PyException,
    intern,
    prelude::*,
    types::{PyList, PyString},
};

use super::{
    Parts, QkCircuit, Table,
    circuit::{Borrowed, not_a_circuit, not_a_number, offence},
    dag::gate,
    kind,
};
use crate::error::{self, Offence, Problem};

/// Circuits that are in memory as gates at the same time.
const CHUNK: usize = 64;

/// Gates that are worth a thread of their own: it takes some 30 µs to start one.
const GATES_A_THREAD: usize = 4000;

/// Definitions within definitions; what goes deeper contains itself.
const MAX_DEPTH: usize = 200;

/// How far products of a unitary's rows may be from 0 or 1.
const UNITARY: f64 = 1e-6;

/// A compiled circuit, and the wire on which each qubit ends unless all end on their own.
type Built<'py> = (Bound<'py, PyAny>, Option<Vec<u32>>);

/// What became of circuits: those that are compiled, by their indices; `CircuitProblem` for each
/// that Qiskit's transpiler may know; `CircuitProblem` for each that cannot run, the first it has.
pub type Outcomes<'py> = (Vec<(usize, Built<'py>)>, Vec<Bound<'py, PyAny>>, Vec<Bound<'py, PyAny>>);

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

/// Compiles circuits that have at most as many qubits as the `limits`.
///
/// If some cannot run, the others are checked, but not necessarily compiled.
pub fn compile_circuits<'py>(
    circuits: &[Bound<'py, PyAny>],
    explain: &Explain<'_, 'py>,
    limits: Limits,
    effort: Effort,
) -> PyResult<Outcomes<'py>> {
    let py = explain.expand.py();
    let table = Table::get(py)?;
    let mut offences = Vec::new();
    let mut refused = Vec::new();
    let mut outcomes = Vec::with_capacity(circuits.len());
    for (start, chunk) in (0..).step_by(CHUNK).zip(circuits.chunks(CHUNK)) {
        let mut indices = Vec::with_capacity(chunk.len());
        let mut readings = Vec::with_capacity(chunk.len());
        for (index, object) in (start..).zip(chunk) {
            match read_circuit(table, object, explain, limits)? {
                Ok(Reading { refused: Some((instruction, reason)), .. }) => {
                    let (instruction, qubits) = (Some(instruction), Vec::new());
                    let fault = Fault::Seen(Problem::Unknown { reason });
                    let failure = Failure { instruction, fault, qubits };
                    refused.push(failure.describe(object, index)?);
                }
                Ok(reading) => {
                    let other = if reading.with_plugins && effort != Effort::None {
                        read_other(table, object, explain, limits)?
                    } else {
                        None
                    };
                    indices.push(index);
                    readings.push((reading, other));
                }
                Err(failure) => offences.push(failure.describe(object, index)?),
            }
        }
        if !offences.is_empty() {
            continue;
        }
        let compiled = py.detach(|| compile_all(&readings, effort));
        for ((index, (reading, other)), (compiled, of_other)) in
            indices.into_iter().zip(&readings).zip(&compiled)
        {
            let reading = other.as_ref().filter(|_| *of_other).unwrap_or(reading);
            outcomes.push((index, build(table, &circuits[index], reading, compiled)?));
        }
    }
    let problems = |offences| error::circuit_problems(py, offences);
    Ok((outcomes, problems(refused)?, problems(offences)?))
}

/// What Qiskit's synthesis plugins make of a circuit, if they do make something of it.
fn read_other<'py>(
    table: &Table,
    object: &Bound<'py, PyAny>,
    explain: &Explain<'_, 'py>,
    limits: Limits,
) -> PyResult<Option<Reading>> {
    match explain.synthesise.call1((object,)) {
        Ok(circuit) => Ok(read_circuit(table, &circuit, explain, limits)?.ok()),
        Err(raised) => broken(object.py(), raised).map(|_| None),
    }
}

/// The compiled circuits, and whether each is made of the other reading.
fn compile_all(readings: &[(Reading, Option<Reading>)], effort: Effort) -> Vec<(Compiled, bool)> {
    let gates: usize = readings.iter().map(|(reading, _)| reading.program.items.len()).sum();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(gates / GATES_A_THREAD).max(1);
    let work = |part: &[(Reading, Option<Reading>)]| -> Vec<_> {
        part.iter().map(|(reading, other)| shorter(reading, other.as_ref(), effort)).collect()
    };
    if threads == 1 {
        return work(readings);
    }
    thread::scope(|scope| {
        let parts: Vec<_> = readings
            .chunks(readings.len().div_ceil(threads))
            .map(|part| scope.spawn(move || work(part)))
            .collect();
        let join = |part: thread::ScopedJoinHandle<'_, _>| match part.join() {
            Ok(compiled) => compiled,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        parts.into_iter().flat_map(join).collect()
    })
}

/// The shorter one of two ways to make a circuit.
fn shorter(reading: &Reading, other: Option<&Reading>, effort: Effort) -> (Compiled, bool) {
    let first = compile(&reading.program, effort);
    if let Some(other) = other.filter(|other| other.refused.is_none()) {
        let second = compile(&other.program, effort);
        if second.cost() < first.cost() {
            return (second, true);
        }
    }
    (first, false)
}

/// A circuit that was read.
#[derive(Default)]
struct Reading {
    program: Program,
    /// The circuit's own global phase: the alternative's differs from the source's.
    phase: f64,
    /// Qubit and classical bit of each measurement.
    measurements: Vec<(u32, u32)>,
    /// Whether each qubit was acted upon.
    used: Vec<bool>,
    /// Barriers with a label, by their numbers, with the operation.
    labelled: Vec<(usize, Py<PyAny>)>,
    num_barriers: usize,
    /// Whether it has operations that Qiskit has synthesis plugins for.
    with_plugins: bool,
    /// Which instruction cannot be compiled here, and why, if so.
    refused: Option<(usize, String)>,
}

/// Why a circuit cannot run, and where it shows: an index into its instructions.
struct Failure {
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
    fn describe(self, object: &Bound<'_, PyAny>, circuit: usize) -> PyResult<Offence> {
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

type Read<T> = PyResult<Result<T, Failure>>;

fn read_circuit<'py>(
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
fn broken(py: Python<'_>, raised: PyErr) -> PyResult<Problem> {
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

/// A circuit like `object`, but with the compiled operations.
fn build<'py>(
    table: &Table,
    object: &Bound<'py, PyAny>,
    reading: &Reading,
    compiled: &Compiled,
) -> PyResult<Built<'py>> {
    let py = object.py();
    let target = object.call_method0(intern!(py, "copy_empty_like"))?;
    let data = target.getattr(intern!(py, "_data"))?;
    // SAFETY: attached to the interpreter, and `data` is a live object.
    let circuit = unsafe { (table.circuit_borrow_from_python)(data.as_ptr()) };
    if circuit.is_null() {
        return Err(PyErr::take(py).unwrap_or_else(|| error::qiskit_failed("borrow")));
    }
    // SAFETY: `circuit` is valid while `data` is held, and no Python code runs in between; all
    // indices are those of the source, whose bits the target has.
    let codes = unsafe { fill(table, circuit, reading, compiled) };
    if codes != 0 {
        return Err(error::qiskit_failed("append"));
    }
    for (number, operation) in &reading.labelled {
        let wanted = Step::Barrier(*number);
        let Some(place) = compiled.steps.iter().position(|step| *step == wanted) else { continue };
        let replace = data.get_item(place)?.getattr("replace")?;
        data.set_item(place, replace.call1((operation,))?)?;
    }
    target.setattr(intern!(py, "global_phase"), reading.phase + compiled.phase)?;
    let moved = (0..).zip(&compiled.wires).any(|(qubit, &wire)| qubit != wire);
    Ok((target, moved.then(|| compiled.wires.clone())))
}

/// Appends all operations; returns the exit codes that Qiskit gave, or-ed: 0 if all went well.
///
/// # Safety
/// `circuit` must be valid, nothing else may use it, and it must have the source's bits.
unsafe fn fill(
    table: &Table,
    circuit: *mut QkCircuit,
    reading: &Reading,
    compiled: &Compiled,
) -> u32 {
    let mut codes = 0;
    let mut append = |gate, qubits: &[u32], params: &[f64]| {
        // SAFETY: the caller vouches for the circuit; a gate gets as many qubits and parameters as
        // it has.
        codes |= unsafe { (table.circuit_gate)(circuit, gate, qubits.as_ptr(), params.as_ptr()) };
    };
    let mut barriers = 0;
    for step in &compiled.steps {
        match *step {
            Step::R { qubit, theta, phi } => append(gate::R, &[qubit], &[theta, phi]),
            Step::Rz { qubit, phi } => append(gate::RZ, &[qubit], &[phi]),
            Step::Rxx { qubits, theta } => append(gate::RXX, &qubits, &[theta]),
            Step::Barrier(number) | Step::Opaque(number) => {
                let qubits = &compiled.barriers[number];
                let len = u32::try_from(qubits.len()).unwrap_or(u32::MAX);
                // SAFETY: the caller vouches for the circuit; the qubits differ.
                barriers |= unsafe { (table.circuit_barrier)(circuit, qubits.as_ptr(), len) };
            }
        }
    }
    codes |= barriers;
    for &(qubit, clbit) in &reading.measurements {
        // SAFETY: the caller vouches for the circuit.
        codes |= unsafe { (table.circuit_measure)(circuit, compiled.wires[qubit as usize], clbit) };
    }
    codes
}
