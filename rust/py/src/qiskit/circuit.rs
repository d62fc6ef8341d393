//! A Qiskit circuit's data, borrowed from its Python object.

use pyo3::{intern, prelude::*, sync::PyOnceLock};

use super::{
    capi::{Access, Parts, QkCircuit, Table, gate, kind},
    instruction::{Instruction, NativeGate},
};
use crate::error_texts::{self, ApiFault};

/// A circuit's data. Nothing may change the circuit through Python while this is in use.
pub struct CircuitRef<'a> {
    table: &'a Table,
    circuit: *mut QkCircuit,
    num_qubits: u32,
    num_clbits: u32,
    num_instructions: usize,
    /// `QuantumCircuit._data`, which owns what `circuit` points to.
    _data: Bound<'a, PyAny>,
}

impl<'a> CircuitRef<'a> {
    /// Borrows the data of a `QuantumCircuit`; `None` for any other object.
    pub fn new(table: &'a Table, object: &Bound<'a, PyAny>) -> PyResult<Option<Self>> {
        let py = object.py();
        if !object.is_instance(circuit_class(py)?)? {
            return Ok(None);
        }
        let data = object.getattr(intern!(py, "_data"))?;
        // SAFETY: attached to the interpreter, and `data` is a live object.
        let circuit = unsafe { (table.circuit_borrow_from_python)(data.as_ptr()) };
        if circuit.is_null() {
            return Err(
                PyErr::take(py).unwrap_or_else(|| error_texts::api_failed(ApiFault::Borrow))
            );
        }
        // SAFETY: `circuit` is valid while `data` is held, which moves into the value.
        let num_qubits = unsafe { (table.circuit_num_qubits)(circuit) };
        // SAFETY: as above.
        let num_clbits = unsafe { (table.circuit_num_clbits)(circuit) };
        // SAFETY: as above.
        let num_instructions = unsafe { (table.circuit_num_instructions)(circuit) };
        Ok(Some(Self { table, circuit, num_qubits, num_clbits, num_instructions, _data: data }))
    }

    pub fn num_qubits(&self) -> u32 {
        self.num_qubits
    }

    pub fn num_clbits(&self) -> u32 {
        self.num_clbits
    }

    pub fn num_instructions(&self) -> usize {
        self.num_instructions
    }

    /// All instructions, in order.
    pub fn instructions(&self) -> impl Iterator<Item = Instruction> {
        (0..self.num_instructions).map(|index| self.instruction(index))
    }

    /// All measurements, in order: qubit and classical bit.
    pub fn measurements(&self) -> impl Iterator<Item = (u32, u32)> {
        let measurements =
            (0..self.num_instructions).filter(|&index| self.kind(index) == kind::MEASURE);
        measurements.filter_map(|index| match self.instruction(index) {
            Instruction::Measure { qubit, clbit } => Some((qubit, clbit)),
            _ => None,
        })
    }

    /// The kind of the instruction at `index`.
    pub fn kind(&self, index: usize) -> u8 {
        assert!(index < self.num_instructions, "no such instruction");
        // SAFETY: `circuit` is valid while `_data` is held, and `index` is in range.
        unsafe { (self.table.circuit_instruction_kind)(self.circuit, index) }
    }

    fn instruction(&self, index: usize) -> Instruction {
        match self.kind(index) {
            kind::GATE | kind::MEASURE => self.read(index, Instruction::new),
            kind::BARRIER => Instruction::Barrier,
            kind::CONTROL_FLOW => Instruction::ControlFlow,
            // Reading other kinds may need Python or fail.
            _ => Instruction::Unsupported,
        }
    }

    /// Reads a gate, barrier, measurement or reset. Other kinds may need Python or fail. `read` must
    /// not run Python code.
    pub fn read<T>(&self, index: usize, read: impl FnOnce(&Parts<'_>) -> T) -> T {
        assert!(index < self.num_instructions, "no such instruction");
        let table = self.table;
        match table.access {
            // SAFETY: `circuit` is valid while `_data` is held, and `index` is in range. The view
            // stays valid while nothing changes the circuit: no Python code runs meanwhile.
            Access::View { circuit: view, params, .. } => unsafe {
                table.read_view(|place| view(self.circuit, index, place), params, read)
            },
            // SAFETY: as above; the copy is this circuit's until `clear` frees it.
            Access::Copy { circuit: get, clear, .. } => unsafe {
                table.read_copy(|place| get(self.circuit, index, place), clear, read)
            },
        }
    }

    /// Appends a gate.
    pub fn gate(&mut self, gate: NativeGate) -> PyResult<()> {
        match gate {
            NativeGate::Rz { qubit, phi } => self.append(gate::RZ, &[qubit], &[phi]),
            NativeGate::R { qubit, theta, phi } => self.append(gate::R, &[qubit], &[theta, phi]),
            NativeGate::Rxx { qubits, theta } => self.append(gate::RXX, &qubits, &[theta]),
        }
    }

    /// Appends a gate with as many qubits and parameters as it has.
    fn append(&mut self, gate: u8, qubits: &[u32], params: &[f64]) -> PyResult<()> {
        self.check(qubits, &[]);
        // SAFETY: `circuit` is valid while `_data` is held; the gate has these numbers of qubits and
        // parameters, and the circuit has the qubits.
        let code = unsafe {
            (self.table.circuit_gate)(self.circuit, gate, qubits.as_ptr(), params.as_ptr())
        };
        self.appended(code)
    }

    /// Appends a barrier.
    pub fn barrier(&mut self, qubits: &[u32]) -> PyResult<()> {
        self.check(qubits, &[]);
        let len = u32::try_from(qubits.len())?;
        // SAFETY: `circuit` is valid while `_data` is held; `qubits` are `len` of its qubits.
        let code = unsafe { (self.table.circuit_barrier)(self.circuit, qubits.as_ptr(), len) };
        self.appended(code)
    }

    /// Appends a measurement.
    pub fn measure(&mut self, qubit: u32, clbit: u32) -> PyResult<()> {
        self.check(&[qubit], &[clbit]);
        // SAFETY: `circuit` is valid while `_data` is held, and has these bits.
        let code = unsafe { (self.table.circuit_measure)(self.circuit, qubit, clbit) };
        self.appended(code)
    }

    fn check(&self, qubits: &[u32], clbits: &[u32]) {
        assert!(qubits.iter().all(|&qubit| qubit < self.num_qubits), "no such qubit");
        assert!(clbits.iter().all(|&clbit| clbit < self.num_clbits), "no such classical bit");
    }

    fn appended(&mut self, exit_code: u32) -> PyResult<()> {
        if exit_code != 0 {
            return Err(error_texts::api_failed(ApiFault::Append));
        }
        self.num_instructions += 1;
        Ok(())
    }
}

/// `qiskit.QuantumCircuit`.
pub fn circuit_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        py.import("qiskit.circuit")?.getattr("QuantumCircuit").map(Bound::unbind)
    })?;
    Ok(class.bind(py))
}
