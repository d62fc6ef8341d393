//! The job and its circuits.

use super::{
    fields::{At, count, number_within, required},
    operations::{self, Gates},
};
use crate::{
    circuit::{Circuit, Limits},
    error::{BodyError, BodyErrorKind as Kind, CircuitError},
    wire::json::{Cursor, Result, optional, store, text},
};

/// Circuits that one API job takes.
pub const MAX_CIRCUITS: usize = 50;

/// Repetitions of a circuit that the interface takes.
pub const MAX_REPETITIONS: u32 = 2000;

/// What a request body asks for: at least one circuit, none with more than 31 qubits.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    label: Option<String>,
    circuits: Vec<(u32, Circuit)>,
}

impl Job {
    /// The free text that came with the job.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Each circuit with its repetitions before it.
    #[must_use]
    pub fn circuits(&self) -> &[(u32, Circuit)] {
        &self.circuits
    }
}

/// Reads the request body of an API job.
///
/// # Errors
/// [`BodyError`] with the byte offset, for a body that is not valid JSON or asks for something that
/// the interface does not do.
pub fn read(body: &[u8]) -> Result<Job> {
    let mut cursor = Cursor::new(body);
    let (mut job_type, mut label, mut circuits) = (None, None, None);
    cursor.object("an object", |cursor, key, offset| match key {
        "job_type" => store(&mut job_type, key, offset, self::job_type(cursor)?),
        "label" => store(&mut label, key, offset, optional(cursor, text)?),
        "payload" => store(&mut circuits, key, offset, payload(cursor)?),
        _ => cursor.skip_value(),
    })?;
    cursor.end()?;
    Ok(Job { label: label.flatten(), circuits: required(circuits, "payload", 0)? })
}

fn job_type(cursor: &mut Cursor<'_>) -> Result<()> {
    let offset = cursor.here();
    match cursor.string("a string")? {
        name if name == "quantum_circuit" => Ok(()),
        name => Err(BodyError { kind: Kind::UnknownJobType(name.into_owned()), offset }),
    }
}

fn payload(cursor: &mut Cursor<'_>) -> Result<Vec<(u32, Circuit)>> {
    let start = cursor.here();
    let mut circuits = None;
    cursor.object("an object", |cursor, key, offset| match key {
        "circuits" => store(&mut circuits, key, offset, self::circuits(cursor)?),
        _ => cursor.skip_value(),
    })?;
    required(circuits, "circuits", start)
}

fn circuits(cursor: &mut Cursor<'_>) -> Result<Vec<(u32, Circuit)>> {
    let start = cursor.here();
    let mut circuits = Vec::new();
    cursor.array("an array of circuits", |cursor| {
        number_within(circuits.len() + 1, "number of circuits", MAX_CIRCUITS, start)?;
        circuits.push(circuit(cursor)?);
        Ok(())
    })?;
    number_within(circuits.len(), "number of circuits", MAX_CIRCUITS, start)?;
    Ok(circuits)
}

fn circuit(cursor: &mut Cursor<'_>) -> Result<(u32, Circuit)> {
    let start = cursor.here();
    let (mut repetitions, mut gates, mut num_qubits) = (None, None, None);
    cursor.object("an object", |cursor, key, offset| match key {
        "repetitions" => {
            store(&mut repetitions, key, offset, count(cursor, "repetitions", MAX_REPETITIONS)?)
        }
        "quantum_circuit" => store(&mut gates, key, offset, operations::gates(cursor)?),
        "number_of_qubits" => {
            let most = Limits::default().qubits;
            store(&mut num_qubits, key, offset, count(cursor, "number_of_qubits", most)?)
        }
        _ => cursor.skip_value(),
    })?;
    let repetitions = required(repetitions, "repetitions", start)?;
    let gates: Gates = required(gates, "quantum_circuit", start)?;
    let num_qubits = required(num_qubits, "number_of_qubits", start)?;
    match gates.highest {
        Some(At { value: qubit, offset }) if qubit >= num_qubits => {
            let problem = CircuitError::QubitOutOfRange { qubit, num_qubits };
            Err(BodyError { kind: Kind::Circuit(problem), offset })
        }
        _ => Ok((repetitions, Circuit::from_checked(num_qubits, gates.operations))),
    }
}
