//! Qiskit DAG → lowered DAG.

use aqt_core::{
    decompose::{Axis, Gate, Local},
    lower::{self, Lowering, Step},
};
use pyo3::{exceptions::PyValueError, intern, prelude::*};

use super::{Access, Parts, QkDag, Table, as_slice, kind};
use crate::error;

/// `QkGate` of the gates that lowered circuits are made of.
pub(super) mod gate {
    pub const R: u8 = 7;
    pub const RZ: u8 = 10;
    pub const RXX: u8 = 39;
}

/// A step for Python: name, qubits and parameters of a gate, or the index of a node to copy.
#[derive(IntoPyObject)]
pub enum PlannedStep {
    Gate((&'static str, Vec<u32>, Vec<f64>)),
    Node(u32),
}

/// A lowered circuit: a DAG, or the steps and the global phase that make one.
#[derive(IntoPyObject)]
pub enum Lowered<'py> {
    Dag(Bound<'py, PyAny>),
    Plan((Vec<PlannedStep>, f64)),
}

/// A DAG's data, borrowed from its Python object.
struct Borrowed<'a, 'py> {
    table: &'static Table,
    dag: *const QkDag,
    object: &'a Bound<'py, PyAny>,
}

/// Lowers `object`, a `DAGCircuit`: itself, if there is nothing to do. Measurements come last, but
/// before what is not known and may depend on them.
///
/// # Errors
/// `TranspilerError` if an operation follows the measurement of its qubit, and that has to be
/// `final_measurements`; if not, the measurement stays where it is.
pub fn lower_dag<'py>(
    object: &Bound<'py, PyAny>,
    merge: bool,
    final_measurements: bool,
) -> PyResult<Lowered<'py>> {
    let py = object.py();
    let source = Borrowed::new(object)?;
    let nodes = source.nodes();
    let mut measured = vec![false; source.num_qubits()];
    let mut lowering = Lowering::new(u32::try_from(measured.len())?);
    let mut measurements = Vec::new();
    let (mut native, mut measured_last, mut barriers) = (true, true, Vec::new());
    for (number, &node) in nodes.iter().enumerate() {
        let kind = source.kind(node);
        if kind == kind::MEASURE {
            measurements.push(number);
            measured[source.qubits(node)[0] as usize] = true;
            continue;
        }
        measured_last &= measurements.is_empty();
        if kind == kind::BARRIER {
            barriers.push(node);
            lowering.barrier(number, source.qubits(node));
            continue;
        }
        let gate = if kind == kind::GATE { source.read(node, known_gate) } else { None };
        let qubits = match &gate {
            Some((gate, qubits)) => &qubits[..gate.num_qubits()],
            None => source.qubits(node),
        };
        let measured_before = qubits.iter().find(|qubit| measured[**qubit as usize]);
        if let (Some(&qubit), true) = (measured_before, final_measurements) {
            return Err(error::operation_after_measurement(py, number, qubit));
        }
        // What is not known may depend on what was measured.
        let may_depend = gate.is_none() && !matches!(kind, kind::GATE | kind::DELAY | kind::RESET);
        if may_depend || measured_before.is_some() {
            for number in measurements.drain(..) {
                let qubits = source.qubits(nodes[number]);
                native = false;
                lowering.opaque(number, qubits);
                measured[qubits[0] as usize] = final_measurements;
            }
        }
        if let Some((gate, _)) = gate {
            gate.emit(qubits, &mut lowering);
            if !merge {
                lowering.cut(qubits);
            }
        } else {
            native = false;
            lowering.opaque(number, qubits);
        }
    }
    let lower::Lowered { steps, phase, rewritten } =
        lowering.finish(|qubit| merge && measured[qubit as usize]);
    if !rewritten && measured_last && steps.len() + measurements.len() == nodes.len() {
        return Ok(Lowered::Dag(object.clone()));
    }
    for barrier in barriers {
        native = native && !source.is_labelled(barrier)?;
    }
    if native {
        return Ok(Lowered::Dag(source.build(&nodes, &steps, &measurements, phase)?));
    }
    let node = |number| PlannedStep::Node(nodes[number]);
    let mut plan: Vec<_> = steps
        .into_iter()
        .map(|step| match step {
            Step::R { qubit, theta, phi } => {
                PlannedStep::Gate(("r", vec![qubit], vec![theta, phi]))
            }
            Step::Rz { qubit, phi } => PlannedStep::Gate(("rz", vec![qubit], vec![phi])),
            Step::Rxx { qubits, theta } => PlannedStep::Gate(("rxx", qubits.to_vec(), vec![theta])),
            Step::Barrier(number) | Step::Opaque(number) => node(number),
        })
        .collect();
    plan.extend(measurements.into_iter().map(node));
    Ok(Lowered::Plan((plan, phase)))
}

/// Reads `object`, a `DAGCircuit` of R, RZ, RXX, barriers and measurements, and builds the same.
///
/// # Errors
/// `ValueError` if there is anything else in it.
pub fn copy_dag<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let source = Borrowed::new(object)?;
    let nodes = source.nodes();
    let (mut steps, mut measurements) = (Vec::with_capacity(nodes.len()), Vec::new());
    for (number, &node) in nodes.iter().enumerate() {
        let gate = match source.kind(node) {
            kind::GATE => source.read(node, known_gate),
            kind::BARRIER => {
                steps.push(Step::Barrier(number));
                continue;
            }
            kind::MEASURE => {
                measurements.push(number);
                continue;
            }
            _ => None,
        };
        steps.push(match gate {
            Some((Gate::Single { rotation: Local::R(theta, phi), .. }, [qubit, ..])) => {
                Step::R { qubit, theta, phi }
            }
            Some((Gate::Single { rotation: Local::Rz(phi), .. }, [qubit, ..])) => {
                Step::Rz { qubit, phi }
            }
            Some((Gate::Pair { axes: [Axis::X, Axis::X], theta }, [first, second, ..])) => {
                Step::Rxx { qubits: [first, second], theta }
            }
            _ => return Err(PyValueError::new_err(format!("operation {number} is none of AQT's"))),
        });
    }
    source.build(&nodes, &steps, &measurements, 0.0)
}

impl<'a, 'py> Borrowed<'a, 'py> {
    /// Borrows the data of `object`, a `DAGCircuit`.
    fn new(object: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let table = Table::get(py)?;
        // SAFETY: attached to the interpreter, and `object` is live.
        let dag = unsafe { (table.dag_borrow_from_python)(object.as_ptr()) };
        if dag.is_null() {
            return Err(PyErr::take(py).unwrap_or_else(|| error::qiskit_failed("borrow")));
        }
        Ok(Self { table, dag, object })
    }

    fn kind(&self, node: u32) -> u8 {
        // SAFETY: `dag` is valid while `object` is held, as in all methods below, and has this node.
        unsafe { (self.table.dag_op_node_kind)(self.dag, node) }
    }

    fn num_qubits(&self) -> usize {
        // SAFETY: as above.
        unsafe { (self.table.dag_num_qubits)(self.dag) as usize }
    }

    /// Indices of all operations in topological order.
    fn nodes(&self) -> Vec<u32> {
        // SAFETY: as above; the vector has room for all indices.
        unsafe {
            let mut nodes = vec![0; (self.table.dag_num_op_nodes)(self.dag)];
            (self.table.dag_topological_op_nodes)(self.dag, nodes.as_mut_ptr());
            nodes
        }
    }

    fn qubits(&self, node: u32) -> &[u32] {
        // SAFETY: as above; the node exists, and nothing changes the DAG while it is borrowed.
        unsafe {
            let len = (self.table.dag_op_node_num_qubits)(self.dag, node) as usize;
            as_slice((self.table.dag_op_node_qubits)(self.dag, node), len)
        }
    }

    /// Reads a standard gate or measurement.
    fn read<T>(&self, node: u32, read: impl FnOnce(&Parts<'_>) -> T) -> T {
        let table = self.table;
        // SAFETY: as above; a view's pointers stay valid while no Python code runs.
        unsafe {
            match table.access {
                Access::View { dag: view, params, .. } => {
                    table.read_view(|it| view(self.dag, node, it), params, read)
                }
                Access::Copy { dag: get, clear, .. } => {
                    table.read_copy(|it| get(self.dag, node, it), clear, read)
                }
            }
        }
    }

    /// Whether this node has a label, which the C table can neither show nor make.
    fn is_labelled(&self, barrier: u32) -> PyResult<bool> {
        let py = self.object.py();
        let node = self.object.call_method1(intern!(py, "node"), (barrier,))?;
        Ok(!node.getattr(intern!(py, "label"))?.is_none())
    }

    /// A DAG like this one, but with these steps and measurements.
    fn build(
        &self,
        nodes: &[u32],
        steps: &[Step],
        measurements: &[usize],
        phase: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = self.object.py();
        let table = self.table;
        let ends: Vec<_> = measurements
            .iter()
            .map(|&number| self.read(nodes[number], |parts| (parts.qubits[0], parts.clbits[0])))
            .collect();
        // The C table's own copy loses metadata (2.6) or fails (2.4).
        let lowered = self.object.call_method0(intern!(py, "copy_empty_like"))?;
        // SAFETY: `lowered` is live, and no Python code runs while it is changed. Gates get as many
        // qubits and parameters as they have; all indices are those of the source's registers.
        unsafe {
            let target = (table.dag_borrow_from_python)(lowered.as_ptr());
            if target.is_null() {
                return Err(PyErr::take(py).unwrap_or_else(|| error::qiskit_failed("borrow")));
            }
            let apply = |gate, qubits: &[u32], params: &[f64]| {
                (table.dag_apply_gate)(target, gate, qubits.as_ptr(), params.as_ptr(), false);
            };
            for step in steps {
                match *step {
                    Step::R { qubit, theta, phi } => apply(gate::R, &[qubit], &[theta, phi]),
                    Step::Rz { qubit, phi } => apply(gate::RZ, &[qubit], &[phi]),
                    Step::Rxx { qubits, theta } => apply(gate::RXX, &qubits, &[theta]),
                    Step::Barrier(number) | Step::Opaque(number) => {
                        let qubits = self.qubits(nodes[number]);
                        let len = u32::try_from(qubits.len()).unwrap_or(u32::MAX);
                        (table.dag_apply_barrier)(target, qubits.as_ptr(), len, false);
                    }
                }
            }
            for (qubit, clbit) in ends {
                (table.dag_apply_measure)(target, qubit, clbit, false);
            }
        }
        if phase != 0.0 {
            let name = intern!(py, "global_phase");
            lowered.setattr(name, self.object.getattr(name)?.add(phase)?)?;
        }
        Ok(lowered)
    }
}

/// A standard gate and its qubits, if its parameters have values.
fn known_gate(parts: &Parts<'_>) -> Option<(Gate, [u32; 4])> {
    let (mut params, mut qubits) = ([0.0; 4], [0; 4]);
    let params = params.get_mut(..parts.num_params)?;
    for (number, param) in params.iter_mut().enumerate() {
        *param = (parts.param)(number);
        if !param.is_finite() {
            return None;
        }
    }
    let num_qubits = parts.qubits.len();
    qubits.get_mut(..num_qubits)?.copy_from_slice(parts.qubits);
    Some((Gate::standard(parts.name, num_qubits, params)?, qubits))
}
