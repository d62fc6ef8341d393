//! Compiled and lowered steps → a Qiskit circuit or DAG like the source.

use aqt_compile::{Compiled, lower::Step};
use pyo3::{IntoPyObjectExt, intern, prelude::*};

use super::{
    circuit::CircuitRef,
    dag::{DagRef, Node},
    instruction::NativeGate,
    program::Reading,
    self_check::checked_table,
};
use crate::error_texts::{self, ApiFault};

/// A compiled circuit, and the wire on which each qubit ends unless all end on their own.
pub type Built<'py> = (Bound<'py, PyAny>, Option<Vec<u32>>);

/// What a step appends: a gate, or the barrier or other operation with a number.
enum Appended {
    Gate(NativeGate),
    Numbered(usize),
}

impl Appended {
    fn new(step: Step) -> Self {
        Self::Gate(match step {
            Step::R { qubit, theta, phi } => NativeGate::R { qubit, theta, phi },
            Step::Rz { qubit, phi } => NativeGate::Rz { qubit, phi },
            Step::Rxx { qubits, theta } => NativeGate::Rxx { qubits, theta },
            Step::Barrier(number) | Step::Opaque(number) => return Self::Numbered(number),
        })
    }
}

/// A circuit like `object`, but with the compiled operations.
pub fn build_circuit<'py>(
    object: &Bound<'py, PyAny>,
    reading: &Reading,
    compiled: &Compiled,
) -> PyResult<Built<'py>> {
    let py = object.py();
    let target = object.call_method0(intern!(py, "copy_empty_like"))?;
    {
        let Some(mut circuit) = CircuitRef::new(checked_table(py)?, &target)? else {
            return Err(error_texts::api_failed(ApiFault::NotACircuit));
        };
        for &step in &compiled.steps {
            match Appended::new(step) {
                Appended::Gate(gate) => circuit.gate(gate)?,
                Appended::Numbered(number) => circuit.barrier(&compiled.barriers[number])?,
            }
        }
        for &(qubit, clbit) in &reading.measurements {
            circuit.measure(compiled.wires[qubit as usize], clbit)?;
        }
    }
    let data = target.getattr(intern!(py, "_data"))?;
    for (number, operation) in &reading.labelled {
        let wanted = Step::Barrier(*number);
        let Some(place) = compiled.steps.iter().position(|step| *step == wanted) else { continue };
        let replace = data.get_item(place)?.getattr("replace")?;
        data.set_item(place, replace.call1((operation,))?)?;
    }
    let mut phase = (reading.phase + compiled.phase).into_bound_py_any(py)?;
    for other in &reading.phases {
        phase = phase.add(other)?;
    }
    target.setattr(intern!(py, "global_phase"), phase)?;
    let moved = (0..).zip(&compiled.wires).any(|(qubit, &wire)| qubit != wire);
    Ok((target, moved.then(|| compiled.wires.clone())))
}

/// A DAG like `source`, but with these steps and then these measurements. Numbers of steps and
/// measurements are indices into `nodes`; `phase` is added to the global phase.
pub fn build_dag<'py>(
    source: &DagRef<'_, 'py>,
    nodes: &[Node],
    steps: &[Step],
    measurements: &[usize],
    phase: f64,
) -> PyResult<Bound<'py, PyAny>> {
    let mut target = source.copy_empty_like()?;
    for &step in steps {
        match Appended::new(step) {
            Appended::Gate(gate) => target.gate(gate),
            Appended::Numbered(number) => target.barrier(source.qubits(nodes[number])),
        }
    }
    for &number in measurements {
        let (qubit, clbit) = source.read(nodes[number], |parts| (parts.qubits[0], parts.clbits[0]));
        target.measure(qubit, clbit);
    }
    let lowered = target.into_object();
    if phase != 0.0 {
        let name = intern!(lowered.py(), "global_phase");
        lowered.setattr(name, source.object().getattr(name)?.add(phase)?)?;
    }
    Ok(lowered)
}
