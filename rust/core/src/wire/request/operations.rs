//! The operations of a circuit.

use super::fields::{At, at, number_within, required};
use crate::{
    circuit::{Limits, Operation},
    error::{BodyError, BodyErrorKind as Kind, CircuitError},
    wire::json::{Cursor, Result, store},
};

/// The operations before the final MEASURE, and the highest qubit among them: the number of qubits
/// may come after them.
pub(super) struct Gates {
    pub operations: Vec<Operation>,
    pub highest: Option<At<u32>>,
}

pub(super) fn gates(cursor: &mut Cursor<'_>) -> Result<Gates> {
    let start = cursor.here();
    let most = Limits::default().operations;
    let mut gates = Gates { operations: Vec::new(), highest: None };
    let mut measured = false;
    cursor.array("an array of operations", |cursor| {
        let offset = cursor.here();
        if measured {
            let kind = Kind::Circuit(CircuitError::GateAfterMeasurement);
            return Err(cursor.error(kind));
        }
        number_within(gates.operations.len() + 1, "number of operations", most, start)?;
        let Some(operation) = operation(cursor)? else {
            measured = true;
            return Ok(());
        };
        let qubit = operation.max_qubit();
        if gates.highest.is_none_or(|highest| qubit > highest.value) {
            gates.highest = Some(At { value: qubit, offset });
        }
        gates.operations.push(operation);
        Ok(())
    })?;
    if measured {
        Ok(gates)
    } else {
        Err(BodyError { kind: Kind::Circuit(CircuitError::NoMeasurement), offset: start })
    }
}

/// Takes an operation; `None` is MEASURE.
fn operation(cursor: &mut Cursor<'_>) -> Result<Option<Operation>> {
    let start = cursor.here();
    let (mut name, mut qubit, mut qubits) = (None, None, None);
    let (mut phi, mut theta) = (None, None);
    cursor.object("an operation", |cursor, key, offset| match key {
        "operation" => {
            store(&mut name, key, offset, at(cursor, |cursor| cursor.string("a string"))?)
        }
        "qubit" => store(&mut qubit, key, offset, at(cursor, self::qubit)?),
        "qubits" => store(&mut qubits, key, offset, at(cursor, self::qubits)?),
        "phi" => store(&mut phi, key, offset, at(cursor, Cursor::float)?),
        "theta" => store(&mut theta, key, offset, at(cursor, Cursor::float)?),
        _ => Err(BodyError { kind: Kind::UnknownKey(key.to_owned()), offset }),
    })?;
    let name = required(name, "operation", start)?;
    // What an operation has no use for stays behind.
    let operation = match &*name.value {
        "RZ" => Some(Operation::Rz {
            qubit: required(qubit.take(), "qubit", start)?.value,
            phi: finite(required(phi.take(), "phi", start)?)?,
        }),
        "R" => Some(Operation::R {
            qubit: required(qubit.take(), "qubit", start)?.value,
            phi: bounded(required(phi.take(), "phi", start)?, "phi", 2.0)?,
            theta: bounded(required(theta.take(), "theta", start)?, "theta", 1.0)?,
        }),
        "RXX" => Some(Operation::Rxx {
            qubits: required(qubits.take(), "qubits", start)?.value,
            theta: bounded(required(theta.take(), "theta", start)?, "theta", 0.5)?,
        }),
        "MEASURE" => None,
        other => {
            let kind = Kind::UnknownOperation(other.to_owned());
            return Err(BodyError { kind, offset: name.offset });
        }
    };
    let left = [
        ("qubit", qubit.map(|it| it.offset)),
        ("qubits", qubits.map(|it| it.offset)),
        ("phi", phi.map(|it| it.offset)),
        ("theta", theta.map(|it| it.offset)),
    ];
    for (key, offset) in left {
        if let Some(offset) = offset {
            return Err(BodyError { kind: Kind::UnexpectedKey(key), offset });
        }
    }
    Ok(operation)
}

/// A qubit index; whether the circuit has such a qubit shows later.
fn qubit(cursor: &mut Cursor<'_>) -> Result<u32> {
    let offset = cursor.here();
    u32::try_from(cursor.unsigned()?)
        .map_err(|_| BodyError { kind: Kind::NumberOutOfRange, offset })
}

/// Two different qubit indices.
fn qubits(cursor: &mut Cursor<'_>) -> Result<[u32; 2]> {
    let offset = cursor.here();
    cursor.open(b'[', "an array of two qubits")?;
    let first = qubit(cursor)?;
    cursor.expect(b',', "','")?;
    let second = qubit(cursor)?;
    cursor.close(b']', "']'")?;
    if first == second {
        let kind = Kind::Circuit(CircuitError::DuplicateQubits { qubit: first });
        return Err(BodyError { kind, offset });
    }
    Ok([first, second])
}

fn finite(angle: At<f64>) -> Result<f64> {
    if angle.value.is_finite() {
        Ok(angle.value)
    } else {
        Err(BodyError { kind: Kind::NumberOutOfRange, offset: angle.offset })
    }
}

fn bounded(angle: At<f64>, what: &'static str, upper: f64) -> Result<f64> {
    if (0.0..=upper).contains(&angle.value) {
        Ok(angle.value + 0.0) // −0 becomes 0
    } else {
        Err(BodyError { kind: Kind::NotWithin { what, lower: 0.0, upper }, offset: angle.offset })
    }
}
