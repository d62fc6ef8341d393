//! Qiskit circuit → operations.

use aqt_core::{Circuit, CircuitBuilder, CircuitError, Limits, MeasurementMap, Operation};
use pyo3::{intern, prelude::*, sync::PyOnceLock};

use super::{Access, Parts, QkCircuit, Table, kind};
use crate::error::{self, Offence, Problem};

/// What one instruction is to an AQT device.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Instruction {
    Rz { qubit: u32, phi: f64 },
    R { qubit: u32, theta: f64, phi: f64 },
    Rxx { qubits: [u32; 2], theta: f64 },
    Measure { qubit: u32, clbit: u32 },
    Barrier,
    ControlFlow,
    Unsupported,
}

/// Reads a known circuit and compares.
pub(super) fn reads_known_circuit(py: Python<'_>, table: &Table) -> PyResult<bool> {
    let circuit = circuit_class(py)?.call1((3, 2))?;
    circuit.call_method1("r", (0.5, 0.25, 1))?;
    circuit.call_method1("rz", (-1.5, 2))?;
    circuit.call_method1("rxx", (0.75, 2, 0))?;
    circuit.call_method0("barrier")?;
    circuit.call_method1("h", (0,))?;
    circuit.call_method1("measure", (2, 1))?;
    let expected = [
        Instruction::R { qubit: 1, theta: 0.5, phi: 0.25 },
        Instruction::Rz { qubit: 2, phi: -1.5 },
        Instruction::Rxx { qubits: [2, 0], theta: 0.75 },
        Instruction::Barrier,
        Instruction::Unsupported,
        Instruction::Measure { qubit: 2, clbit: 1 },
    ];
    let borrowed = Borrowed::new(table, &circuit)?;
    Ok(borrowed.iter().flat_map(Borrowed::instructions).eq(expected))
}

/// A circuit's data, borrowed from its Python object for as long as that is borrowed.
pub(super) struct Borrowed<'a> {
    table: &'a Table,
    circuit: *const QkCircuit,
    pub(super) num_instructions: usize,
    /// `QuantumCircuit._data`, which owns what `circuit` points to.
    _data: Bound<'a, PyAny>,
}

impl<'a> Borrowed<'a> {
    /// `None` if `object` is no `QuantumCircuit`.
    pub(super) fn new(table: &'a Table, object: &Bound<'a, PyAny>) -> PyResult<Option<Self>> {
        let py = object.py();
        if !object.is_instance(circuit_class(py)?)? {
            return Ok(None);
        }
        let data = object.getattr(intern!(py, "_data"))?;
        // SAFETY: attached to the interpreter, and `data` is a live object.
        let circuit = unsafe { (table.circuit_borrow_from_python)(data.as_ptr()) };
        if circuit.is_null() {
            return Err(PyErr::take(py).unwrap_or_else(|| error::qiskit_failed("borrow")));
        }
        // SAFETY: `circuit` is valid while `data` is held, which moves into the value.
        let num_instructions = unsafe { (table.circuit_num_instructions)(circuit) };
        Ok(Some(Self { table, circuit, num_instructions, _data: data }))
    }

    pub(super) fn num_qubits(&self) -> u32 {
        // SAFETY: `circuit` is valid while `_data` is held, as in all methods below.
        unsafe { (self.table.circuit_num_qubits)(self.circuit) }
    }

    fn num_clbits(&self) -> u32 {
        // SAFETY: as above.
        unsafe { (self.table.circuit_num_clbits)(self.circuit) }
    }

    /// All instructions, in order. Nothing may change the circuit before the iterator is dropped.
    fn instructions(&self) -> impl Iterator<Item = Instruction> {
        (0..self.num_instructions).map(|index| self.instruction(index))
    }

    /// All final measurements: qubit and classical bit.
    fn measurements(&self) -> impl Iterator<Item = (u32, u32)> {
        let measurements =
            (0..self.num_instructions).filter(|&index| self.kind(index) == kind::MEASURE);
        measurements.filter_map(|index| match self.instruction(index) {
            Instruction::Measure { qubit, clbit } => Some((qubit, clbit)),
            _ => None,
        })
    }

    /// The kind of the instruction at `index`, which must be below `num_instructions`.
    pub(super) fn kind(&self, index: usize) -> u8 {
        debug_assert!(index < self.num_instructions);
        // SAFETY: `circuit` is valid and `index` in range.
        unsafe { (self.table.circuit_instruction_kind)(self.circuit, index) }
    }

    /// The instruction at `index`, which must be below `num_instructions`.
    fn instruction(&self, index: usize) -> Instruction {
        match self.kind(index) {
            kind::GATE | kind::MEASURE => {}
            kind::BARRIER => return Instruction::Barrier,
            kind::CONTROL_FLOW => return Instruction::ControlFlow,
            // Reading these could need Python or fail; what they are does not matter.
            _ => return Instruction::Unsupported,
        }
        self.read(index, classify)
    }

    /// Reads a gate, barrier or measurement. Other kinds could need Python or fail.
    pub(super) fn read<T>(&self, index: usize, read: impl FnOnce(&Parts<'_>) -> T) -> T {
        debug_assert!(index < self.num_instructions);
        // SAFETY: `circuit` is valid and `index` in range. A view's pointers stay valid as long as
        // nobody changes the circuit: no Python code runs while it is read.
        unsafe {
            match self.table.access {
                Access::View { circuit: view, params, .. } => self.table.read_view(
                    |instruction| view(self.circuit, index, instruction),
                    params,
                    read,
                ),
                Access::Copy { circuit: get, clear, .. } => self.table.read_copy(
                    |instruction| get(self.circuit, index, instruction),
                    clear,
                    read,
                ),
            }
        }
    }
}

/// A standard gate or measurement as an instruction.
fn classify(parts: &Parts<'_>) -> Instruction {
    let param = parts.param;
    match (parts.name, parts.qubits, parts.clbits, parts.num_params) {
        (b"rz", &[qubit], [], 1) => Instruction::Rz { qubit, phi: param(0) },
        (b"r", &[qubit], [], 2) => Instruction::R { qubit, theta: param(0), phi: param(1) },
        (b"rxx", &[a, b], [], 1) => Instruction::Rxx { qubits: [a, b], theta: param(0) },
        (b"measure", &[qubit], &[clbit], 0) => Instruction::Measure { qubit, clbit },
        _ => Instruction::Unsupported,
    }
}

fn circuit_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        py.import("qiskit.circuit")?.getattr("QuantumCircuit").map(Bound::unbind)
    })?;
    Ok(class.bind(py))
}

/// Reads and checks circuits, and hands over those that can run.
///
/// # Errors
/// `InvalidCircuitError` that lists every circuit which cannot run, each with its first problem.
pub fn read_circuits(
    py: Python<'_>,
    circuits: &[Bound<'_, PyAny>],
    limits: Limits,
    mut take: impl FnMut(Circuit, MeasurementMap),
) -> PyResult<()> {
    let table = Table::get(py)?;
    let mut offences = Vec::new();
    for (index, object) in circuits.iter().enumerate() {
        let Some(borrowed) = Borrowed::new(table, object)? else {
            offences.push(not_a_circuit(object, index)?);
            continue;
        };
        match read_circuit(&borrowed, limits) {
            Ok((circuit, map)) => take(circuit, map),
            Err((instruction, error)) => {
                drop(borrowed);
                offences.push(offence(object, index, instruction, error)?);
            }
        }
    }
    if offences.is_empty() { Ok(()) } else { Err(error::invalid_circuits(py, offences)) }
}

fn read_circuit(
    borrowed: &Borrowed<'_>,
    limits: Limits,
) -> Result<(Circuit, MeasurementMap), (Option<usize>, CircuitError)> {
    let whole = |error| (None, error);
    let (num_qubits, num_clbits) = (borrowed.num_qubits(), borrowed.num_clbits());
    let mut map = MeasurementMap::new(num_clbits);
    let mut builder =
        CircuitBuilder::new(num_qubits, num_clbits, borrowed.num_instructions, limits)
            .map_err(whole)?;
    for (index, instruction) in borrowed.instructions().enumerate() {
        let taken = match instruction {
            Instruction::Rz { qubit, phi } => {
                Operation::rz(qubit, phi).and_then(|operation| builder.gate(operation))
            }
            Instruction::R { qubit, theta, phi } => {
                Operation::r(qubit, theta, phi).and_then(|operation| builder.gate(operation))
            }
            Instruction::Rxx { qubits, theta } => {
                Operation::rxx(qubits, theta).and_then(|operation| builder.gate(operation))
            }
            Instruction::Measure { qubit, clbit } => {
                builder.measure(qubit, clbit).and_then(|()| map.measure(qubit, clbit))
            }
            Instruction::Barrier => Ok(()),
            Instruction::ControlFlow => Err(CircuitError::ControlFlow),
            Instruction::Unsupported => Err(CircuitError::UnsupportedOperation),
        };
        taken.map_err(|error| (Some(index), error))?;
    }
    Ok((builder.finish().map_err(whole)?, map))
}

/// Adds what only Python knows: the operation's name, and whether a NaN is an unbound parameter.
pub(super) fn offence(
    object: &Bound<'_, PyAny>,
    circuit: usize,
    instruction: Option<usize>,
    error: CircuitError,
) -> PyResult<Offence> {
    let mut operation = None;
    let mut problem = Problem::Circuit(error);
    if let Some(index) = instruction {
        let culprit = object.getattr("data")?.get_item(index)?.getattr("operation")?;
        operation = Some(culprit.getattr("name")?.extract()?);
        if let Problem::Circuit(CircuitError::AngleNotFinite { .. }) = problem {
            for param in culprit.getattr("params")?.try_iter()? {
                if let Some(found) = not_a_number(&param?)? {
                    problem = found;
                    break;
                }
            }
        }
    }
    Ok(Offence { circuit, instruction, operation, problem })
}

/// Why a parameter has no value as a double, if so.
pub(super) fn not_a_number(param: &Bound<'_, PyAny>) -> PyResult<Option<Problem>> {
    if param.hasattr("parameters")? && param.getattr("parameters")?.is_truthy()? {
        let names = param.getattr("parameters")?.try_iter()?;
        let mut names =
            names.map(|name| name?.str()?.extract()).collect::<PyResult<Vec<String>>>()?;
        names.sort();
        return Ok(Some(Problem::UnboundParameters { names }));
    }
    if param.extract::<f64>().is_err() {
        let type_name = param.get_type().name()?.to_string();
        return Ok(Some(Problem::NotANumber { type_name }));
    }
    Ok(None)
}

/// The number of qubits of the circuit with that index and its measurement map.
///
/// # Errors
/// `InvalidCircuitError` if `object` is no `QuantumCircuit`.
pub fn measurement_map(object: &Bound<'_, PyAny>, index: usize) -> PyResult<(u32, MeasurementMap)> {
    let Some(borrowed) = Borrowed::new(Table::get(object.py())?, object)? else {
        return Err(error::invalid_circuits(object.py(), vec![not_a_circuit(object, index)?]));
    };
    let mut map = MeasurementMap::new(borrowed.num_clbits());
    for (qubit, clbit) in borrowed.measurements() {
        map.measure(qubit, clbit).map_err(|_| error::qiskit_failed("measure"))?;
    }
    Ok((borrowed.num_qubits(), map))
}

/// Reads all instructions, keeps none and returns their number.
///
/// # Errors
/// `InvalidCircuitError` if an object is no `QuantumCircuit`.
pub fn read_instructions(py: Python<'_>, circuits: &[Bound<'_, PyAny>]) -> PyResult<usize> {
    let table = Table::get(py)?;
    let mut count = 0;
    for (index, object) in circuits.iter().enumerate() {
        let Some(borrowed) = Borrowed::new(table, object)? else {
            return Err(error::invalid_circuits(py, vec![not_a_circuit(object, index)?]));
        };
        count += borrowed.instructions().map(std::hint::black_box).count();
    }
    Ok(count)
}

pub(super) fn not_a_circuit(object: &Bound<'_, PyAny>, circuit: usize) -> PyResult<Offence> {
    let type_name = object.get_type().name()?.to_string();
    let problem = Problem::NotACircuit { type_name };
    Ok(Offence { circuit, instruction: None, operation: None, problem })
}
