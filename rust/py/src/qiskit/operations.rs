//! Qiskit circuit ↔ AQT operations.

use aqt_core::{
    Angles, Circuit, CircuitBuilder, CircuitError, Limits, MeasurementMap, Operation,
    circuit::operation::radians,
};
use pyo3::prelude::*;

use super::{
    circuit::CircuitRef,
    culprit::{not_a_circuit, offence},
    instruction::{Instruction, NativeGate},
    self_check::checked_table,
};
use crate::error_texts::{self, ApiFault};

/// What becomes of angles outside the ranges of a device.
pub fn angles(strict: bool) -> Angles {
    if strict { Angles::Strict } else { Angles::Folded }
}

/// Reads and checks circuits; `take` gets those that can run.
///
/// # Errors
/// `InvalidCircuitError` lists every circuit that cannot run, with its first problem.
pub fn read_circuits(
    py: Python<'_>,
    circuits: &[Bound<'_, PyAny>],
    limits: Limits,
    angles: Angles,
    mut take: impl FnMut(Circuit, MeasurementMap),
) -> PyResult<()> {
    let table = checked_table(py)?;
    let mut offences = Vec::new();
    for (index, object) in circuits.iter().enumerate() {
        let Some(borrowed) = CircuitRef::new(table, object)? else {
            offences.push(not_a_circuit(object, index)?);
            continue;
        };
        match read_circuit(&borrowed, limits, angles) {
            Ok((circuit, map)) => take(circuit, map),
            Err((instruction, error)) => {
                drop(borrowed);
                offences.push(offence(object, index, instruction, error)?);
            }
        }
    }
    if offences.is_empty() { Ok(()) } else { Err(error_texts::invalid_circuits(py, offences)) }
}

fn read_circuit(
    borrowed: &CircuitRef<'_>,
    limits: Limits,
    angles: Angles,
) -> Result<(Circuit, MeasurementMap), (Option<usize>, CircuitError)> {
    let whole = |error| (None, error);
    let (num_qubits, num_clbits) = (borrowed.num_qubits(), borrowed.num_clbits());
    let mut map = MeasurementMap::new(num_clbits);
    let mut builder =
        CircuitBuilder::new(num_qubits, num_clbits, borrowed.num_instructions(), limits)
            .map_err(whole)?;
    for (index, instruction) in borrowed.instructions().enumerate() {
        let appended = match instruction {
            Instruction::Gate(gate) => builder.rotate(gate, angles),
            Instruction::Measure { qubit, clbit } => {
                builder.measure(qubit, clbit).and_then(|()| map.measure(qubit, clbit))
            }
            Instruction::Barrier => Ok(()),
            Instruction::ControlFlow => Err(CircuitError::ControlFlow),
            Instruction::Unsupported => Err(CircuitError::UnsupportedOperation),
        };
        appended.map_err(|error| (Some(index), error))?;
    }
    Ok((builder.finish().map_err(whole)?, map))
}

/// The number of qubits of the circuit with that index and its measurement map.
///
/// # Errors
/// `InvalidCircuitError` if `object` is no `QuantumCircuit`.
pub fn measurement_map(object: &Bound<'_, PyAny>, index: usize) -> PyResult<(u32, MeasurementMap)> {
    let Some(borrowed) = CircuitRef::new(checked_table(object.py())?, object)? else {
        return Err(error_texts::invalid_circuits(
            object.py(),
            vec![not_a_circuit(object, index)?],
        ));
    };
    let mut map = MeasurementMap::new(borrowed.num_clbits());
    for (qubit, clbit) in borrowed.measurements() {
        map.measure(qubit, clbit).map_err(|_| error_texts::api_failed(ApiFault::Read))?;
    }
    Ok((borrowed.num_qubits(), map))
}

/// Appends the operations of a circuit to a `QuantumCircuit`, each qubit of `qubits` at its place in
/// this list, and measures them in this order.
pub fn fill(object: &Bound<'_, PyAny>, circuit: &Circuit, qubits: &[u32]) -> PyResult<()> {
    let Some(mut target) = CircuitRef::new(checked_table(object.py())?, object)? else {
        return Err(error_texts::api_failed(ApiFault::NotACircuit));
    };
    let mut places = vec![0; circuit.num_qubits() as usize];
    for (place, &qubit) in (0..).zip(qubits) {
        places[qubit as usize] = place;
    }
    let place = |qubit: u32| places[qubit as usize];
    for operation in circuit.operations() {
        target.gate(match *operation {
            Operation::Rz { qubit, phi } => {
                NativeGate::Rz { qubit: place(qubit), phi: radians(phi) }
            }
            Operation::R { qubit, phi, theta } => {
                NativeGate::R { qubit: place(qubit), theta: radians(theta), phi: radians(phi) }
            }
            Operation::Rxx { qubits, theta } => {
                NativeGate::Rxx { qubits: qubits.map(place), theta: radians(theta) }
            }
        })?;
    }
    for place in 0..u32::try_from(qubits.len())? {
        target.measure(place, place)?;
    }
    Ok(())
}
