//! Qiskit DAG → lowered DAG.

use aqt_compile::lower::{self, Lowering, Step};
use pyo3::prelude::*;

use crate::qiskit::{DagRef, Node, StandardGate, build_dag, checked_table, kind, standard_gate};

/// A step for Python: name, qubits and parameters of a gate, or the index of a node to copy.
#[derive(IntoPyObject)]
pub enum PlannedStep {
    Gate((&'static str, Vec<u32>, Vec<f64>)),
    Node(u32),
}

/// A lowered circuit: a DAG, or the steps and the global phase that make one. Otherwise, node and
/// qubit of each operation that follows the measurement of its qubit.
#[derive(IntoPyObject)]
pub enum Lowered<'py> {
    Dag(Bound<'py, PyAny>),
    Plan((Vec<PlannedStep>, f64)),
    Late(Vec<(u32, u32)>),
}

/// Indices of the nodes of a `DAGCircuit` that are neither standard gates nor barriers nor
/// measurements, in topological order.
#[pyfunction]
pub fn other_nodes(dag: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
    let source = DagRef::new(checked_table(dag.py())?, dag)?;
    let mut nodes = source.nodes();
    nodes.retain(|&node| is_other(source.kind(node)));
    Ok(nodes.into_iter().map(Node::index).collect())
}

/// Whether an operation is neither a standard gate nor a barrier nor a measurement.
fn is_other(kind: u8) -> bool {
    !matches!(kind, kind::GATE | kind::BARRIER | kind::MEASURE)
}

/// Lowers a `DAGCircuit`; returns it as it is if there is nothing to do. Measurements come last, but
/// before operations that may depend on them. With `drop_resets`, resets of qubits that were not used
/// before are left out.
///
/// With `only_standard`, returns `None` if there is an operation that [`other_nodes`] lists.
///
/// If an operation follows the measurement of its qubit, the circuit cannot be lowered with
/// `final_measurements`; without, that measurement stays where it is.
#[pyfunction]
#[expect(clippy::fn_params_excessive_bools, reason = "Python calls it with keywords")]
pub fn lower_dag<'py>(
    dag: &Bound<'py, PyAny>,
    merge: bool,
    final_measurements: bool,
    drop_resets: bool,
    only_standard: bool,
) -> PyResult<Option<Lowered<'py>>> {
    let source = DagRef::new(checked_table(dag.py())?, dag)?;
    let nodes = source.nodes();
    let mut measured = vec![false; source.num_qubits() as usize];
    let mut used = vec![!drop_resets; source.num_qubits() as usize];
    let mut late = Vec::new();
    let mut lowering = Lowering::new(source.num_qubits());
    let mut measurements = Vec::new();
    let (mut native, mut measured_last, mut barriers) = (true, true, Vec::new());
    for (number, &node) in nodes.iter().enumerate() {
        let kind = source.kind(node);
        if kind == kind::MEASURE {
            measurements.push(number);
            let qubit = source.qubits(node)[0] as usize;
            (measured[qubit], used[qubit]) = (true, true);
            continue;
        }
        if only_standard && is_other(kind) {
            return Ok(None);
        }
        measured_last &= measurements.is_empty();
        if kind == kind::BARRIER {
            barriers.push(node);
            lowering.barrier(number, source.qubits(node));
            continue;
        }
        let gate = match kind {
            kind::GATE => match source.read(node, standard_gate) {
                StandardGate::Known(gate, qubits) => Some((gate, qubits)),
                StandardGate::NotFinite { .. } | StandardGate::Unknown => None,
            },
            _ => None,
        };
        let qubits = match &gate {
            Some((gate, qubits)) => &qubits[..gate.num_qubits()],
            None => source.qubits(node),
        };
        if kind == kind::RESET && !used[qubits[0] as usize] {
            continue;
        }
        if !gate.as_ref().is_some_and(|(gate, _)| gate.keeps_zero()) {
            for &qubit in qubits {
                used[qubit as usize] = true;
            }
        }
        let measured_before = qubits.iter().find(|qubit| measured[**qubit as usize]);
        if let (Some(&qubit), true) = (measured_before, final_measurements) {
            late.push((node.index(), qubit));
            continue;
        }
        // Any other kind of operation may depend on measurements.
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
    if !late.is_empty() {
        return Ok(Some(Lowered::Late(late)));
    }
    let lower::Lowered { steps, phase, rewritten } =
        lowering.finish(|qubit| merge && measured[qubit as usize]);
    if !rewritten && measured_last && steps.len() + measurements.len() == nodes.len() {
        return Ok(Some(Lowered::Dag(dag.clone())));
    }
    for barrier in barriers {
        native = native && !source.is_labelled(barrier)?;
    }
    if native {
        let dag = build_dag(&source, &nodes, &steps, &measurements, phase)?;
        return Ok(Some(Lowered::Dag(dag)));
    }
    let node = |number: usize| PlannedStep::Node(nodes[number].index());
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
    Ok(Some(Lowered::Plan((plan, phase))))
}
