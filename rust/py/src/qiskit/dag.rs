//! A Qiskit DAG's data, borrowed from its Python object.

use pyo3::{intern, prelude::*};

use super::{
    capi::{Access, Parts, QkDag, Table, as_slice, gate},
    instruction::NativeGate,
};
use crate::error_texts::{self, ApiFault};

/// A DAG's data. Nothing may change the DAG through Python while this is in use.
pub struct DagRef<'a, 'py> {
    table: &'a Table,
    dag: *mut QkDag,
    num_qubits: u32,
    num_clbits: u32,
    object: Bound<'py, PyAny>,
}

/// An operation of a [`DagRef`], only valid for the DAG that gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node(u32);

impl Node {
    /// The index of the node in Qiskit's DAG.
    pub fn index(self) -> u32 {
        self.0
    }
}

impl<'a, 'py> DagRef<'a, 'py> {
    /// Borrows the data of a `DAGCircuit`.
    ///
    /// # Errors
    /// `TypeError` for any other object.
    pub fn new(table: &'a Table, object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        // SAFETY: attached to the interpreter, and `object` is live.
        let dag = unsafe { (table.dag_borrow_from_python)(object.as_ptr()) };
        if dag.is_null() {
            return Err(
                PyErr::take(py).unwrap_or_else(|| error_texts::api_failed(ApiFault::Borrow))
            );
        }
        // SAFETY: `dag` is valid while `object` is held, whose clone moves into the value.
        let num_qubits = unsafe { (table.dag_num_qubits)(dag) };
        // SAFETY: as above.
        let num_clbits = unsafe { (table.dag_num_clbits)(dag) };
        Ok(Self { table, dag, num_qubits, num_clbits, object: object.clone() })
    }

    /// The DAG as a Python object again.
    pub fn into_object(self) -> Bound<'py, PyAny> {
        self.object
    }

    /// The DAG as a Python object.
    pub fn object(&self) -> &Bound<'py, PyAny> {
        &self.object
    }

    pub fn num_qubits(&self) -> u32 {
        self.num_qubits
    }

    pub fn num_clbits(&self) -> u32 {
        self.num_clbits
    }

    /// All operations in topological order.
    pub fn nodes(&self) -> Vec<Node> {
        // SAFETY: `dag` is valid while `object` is held.
        let mut nodes = vec![0; unsafe { (self.table.dag_num_op_nodes)(self.dag) }];
        // SAFETY: as above; the vector has room for the indices of all operations.
        unsafe { (self.table.dag_topological_op_nodes)(self.dag, nodes.as_mut_ptr()) };
        nodes.into_iter().map(Node).collect()
    }

    /// The kind of an operation.
    pub fn kind(&self, node: Node) -> u8 {
        // SAFETY: `dag` is valid while `object` is held, and has this node.
        unsafe { (self.table.dag_op_node_kind)(self.dag, node.0) }
    }

    /// The qubits of an operation.
    pub fn qubits(&self, node: Node) -> &[u32] {
        // SAFETY: `dag` is valid while `object` is held, and has this node.
        let len = unsafe { (self.table.dag_op_node_num_qubits)(self.dag, node.0) as usize };
        // SAFETY: as above; nothing changes the DAG while it is borrowed from `self`.
        unsafe { as_slice((self.table.dag_op_node_qubits)(self.dag, node.0), len) }
    }

    /// Reads a standard gate or measurement. `read` must not run Python code.
    pub fn read<T>(&self, node: Node, read: impl FnOnce(&Parts<'_>) -> T) -> T {
        let table = self.table;
        match table.access {
            // SAFETY: `dag` is valid while `object` is held, and has this node. The view stays valid
            // while nothing changes the DAG: no Python code runs meanwhile.
            Access::View { dag: view, params, .. } => unsafe {
                table.read_view(|place| view(self.dag, node.0, place), params, read)
            },
            // SAFETY: as above; the copy is this DAG's until `clear` frees it.
            Access::Copy { dag: get, clear, .. } => unsafe {
                table.read_copy(|place| get(self.dag, node.0, place), clear, read)
            },
        }
    }

    /// Whether an operation has a label, which the table can neither read nor write.
    pub fn is_labelled(&self, node: Node) -> PyResult<bool> {
        let py = self.object.py();
        let node = self.object.call_method1(intern!(py, "node"), (node.0,))?;
        Ok(!node.getattr(intern!(py, "label"))?.is_none())
    }

    /// A DAG like this one, without operations.
    pub fn copy_empty_like(&self) -> PyResult<Self> {
        // The table's own copy loses metadata (2.6) or fails (2.4).
        let name = intern!(self.object.py(), "copy_empty_like");
        Self::new(self.table, &self.object.call_method0(name)?)
    }

    /// Appends a gate.
    pub fn gate(&mut self, gate: NativeGate) {
        match gate {
            NativeGate::Rz { qubit, phi } => self.append(gate::RZ, &[qubit], &[phi]),
            NativeGate::R { qubit, theta, phi } => self.append(gate::R, &[qubit], &[theta, phi]),
            NativeGate::Rxx { qubits, theta } => self.append(gate::RXX, &qubits, &[theta]),
        }
    }

    /// Appends a gate with as many qubits and parameters as it has.
    fn append(&mut self, gate: u8, qubits: &[u32], params: &[f64]) {
        self.check(qubits, &[]);
        // SAFETY: `dag` is valid while `object` is held; the gate has these numbers of qubits and
        // parameters, and the DAG has the qubits.
        unsafe {
            (self.table.dag_apply_gate)(self.dag, gate, qubits.as_ptr(), params.as_ptr(), false);
        }
    }

    /// Appends a barrier.
    ///
    /// # Panics
    /// If the DAG has no such qubit, as in all methods.
    pub fn barrier(&mut self, qubits: &[u32]) {
        self.check(qubits, &[]);
        let len = u32::try_from(qubits.len()).unwrap_or(u32::MAX);
        // SAFETY: `dag` is valid while `object` is held; `qubits` are `len` of its qubits.
        unsafe { (self.table.dag_apply_barrier)(self.dag, qubits.as_ptr(), len, false) };
    }

    /// Appends a measurement.
    pub fn measure(&mut self, qubit: u32, clbit: u32) {
        self.check(&[qubit], &[clbit]);
        // SAFETY: `dag` is valid while `object` is held, and has these bits.
        unsafe { (self.table.dag_apply_measure)(self.dag, qubit, clbit, false) };
    }

    fn check(&self, qubits: &[u32], clbits: &[u32]) {
        assert!(qubits.iter().all(|&qubit| qubit < self.num_qubits), "no such qubit");
        assert!(clbits.iter().all(|&clbit| clbit < self.num_clbits), "no such classical bit");
    }
}
