//! A compiled program → a Qiskit circuit like the one that was read.

use aqt_core::{compile::Compiled, lower::Step};
use pyo3::{intern, prelude::*};

use super::reading::Reading;
use crate::{
    error,
    qiskit::{QkCircuit, Table, dag::gate},
};

/// A compiled circuit, and the wire on which each qubit ends unless all end on their own.
pub(super) type Built<'py> = (Bound<'py, PyAny>, Option<Vec<u32>>);

/// A circuit like `object`, but with the compiled operations.
pub(super) fn build<'py>(
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
