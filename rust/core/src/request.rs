//! The request body of an API job → its label and checked circuits: what [`crate::payload`] writes,
//! in any layout.
//!
//! As strict as the models of AQT's own client: ranges and limits are theirs, an operation has no
//! keys but its own, further keys elsewhere are free. Stricter where a client would have to go out
//! of its way: numbers are written as numbers, whole ones without fraction and exponent, and no key
//! with a meaning stands twice.

use crate::{
    circuit::{Circuit, Limits},
    error::{BodyError, BodyErrorKind as Kind, CircuitError},
    json::{Cursor, Result, optional, store, text},
    operation::Operation,
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
        "quantum_circuit" => store(&mut gates, key, offset, self::gates(cursor)?),
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

/// A value and the byte where it starts.
#[derive(Clone, Copy)]
struct At<T> {
    value: T,
    offset: usize,
}

fn at<'a, T>(
    cursor: &mut Cursor<'a>,
    read: impl FnOnce(&mut Cursor<'a>) -> Result<T>,
) -> Result<At<T>> {
    let offset = cursor.here();
    Ok(At { value: read(cursor)?, offset })
}

/// The operations before the final MEASURE, and the highest qubit among them: the number of qubits
/// may come after them.
struct Gates {
    operations: Vec<Operation>,
    highest: Option<At<u32>>,
}

fn gates(cursor: &mut Cursor<'_>) -> Result<Gates> {
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

/// Takes a whole number from 1 to `most`.
fn count(cursor: &mut Cursor<'_>, what: &'static str, most: u32) -> Result<u32> {
    let At { value, offset } = at(cursor, Cursor::unsigned)?;
    match u32::try_from(value) {
        Ok(value) if (1..=most).contains(&value) => Ok(value),
        _ => Err(BodyError {
            kind: Kind::NotWithin { what, lower: 1.0, upper: f64::from(most) },
            offset,
        }),
    }
}

/// Checks that an array has 1 to `most` items.
fn number_within(found: usize, what: &'static str, most: usize, offset: usize) -> Result<()> {
    if (1..=most).contains(&found) {
        return Ok(());
    }
    let upper = u32::try_from(most).map_or(f64::INFINITY, f64::from);
    Err(BodyError { kind: Kind::NotWithin { what, lower: 1.0, upper }, offset })
}

fn required<T>(value: Option<T>, key: &'static str, offset: usize) -> Result<T> {
    value.ok_or(BodyError { kind: Kind::MissingKey(key), offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(operations: &str) -> String {
        format!(
            r#"{{"payload":{{"circuits":[{{"number_of_qubits":2,"repetitions":7,"quantum_circuit":[{operations}]}}]}}}}"#
        )
    }

    /// Where the first operation of [`body`] starts.
    const FIRST: usize = 81;

    fn fails(operations: &str) -> (Kind, usize) {
        let error = read(body(operations).as_bytes()).unwrap_err();
        (error.kind, error.offset)
    }

    #[test]
    fn any_layout() {
        let spread = "{ \"payload\":{\"x\":[{}], \"circuits\":[ {\"repetitions\":2000, \"number_of_qubits\" : 31,\n\"quantum_circuit\":[{\"theta\":0.5,\"qubits\":[30,1],\"operation\":\"RX\\u0058\"},{\"qubit\":3,\"operation\":\"R\",\"phi\":-0.0,\"theta\":1e-1},{\"operation\":\"RZ\",\"qubit\":0,\"phi\":-7},{\"operation\":\"MEASURE\"}],\"more\":null}]},\"label\":\"a\\n\",\"job_type\":\"quantum_circuit\"}";
        let job = read(spread.as_bytes()).unwrap();
        assert_eq!(job.label(), Some("a\n"));
        let [(2000, circuit)] = job.circuits() else { panic!("{job:?}") };
        assert_eq!(circuit.num_qubits(), 31);
        assert_eq!(
            circuit.operations(),
            [
                Operation::Rxx { qubits: [30, 1], theta: 0.5 },
                Operation::R { qubit: 3, phi: 0.0, theta: 0.1 },
                Operation::Rz { qubit: 0, phi: -7.0 },
            ]
        );
    }

    #[test]
    fn what_need_not_be_there() {
        let job = read(body(r#"{"operation":"MEASURE"}"#).as_bytes()).unwrap();
        assert_eq!(job.label(), None);
        assert_eq!(job.circuits()[0].0, 7);
        assert!(job.circuits()[0].1.operations().is_empty());
    }

    #[test]
    fn operations_are_checked() {
        assert_eq!(body("!").find('!'), Some(FIRST));
        let circuit = |problem| Kind::Circuit(problem);
        let not_within = |what, upper| Kind::NotWithin { what, lower: 0.0, upper };
        for (operation, kind, offset) in [
            (r#"{"operation":"MEASURE","qubit":0}"#, Kind::UnexpectedKey("qubit"), 31),
            (r#"{"operation":"RZ","qubit":0,"phi":0,"theta":0}"#, Kind::UnexpectedKey("theta"), 44),
            (r#"{"operation":"RZ","qubit":0,"phi":0,"x":0}"#, Kind::UnknownKey("x".into()), 36),
            (r#"{"operation":"RZ","qubit":0}"#, Kind::MissingKey("phi"), 0),
            (r#"{"operation":"RZ","qubit":0,"phi":1e999}"#, Kind::NumberOutOfRange, 34),
            (r#"{"qubit":0,"phi":0}"#, Kind::MissingKey("operation"), 0),
            (r#"{"operation":"RY","qubit":0}"#, Kind::UnknownOperation("RY".into()), 13),
            (
                r#"{"operation":"R","qubit":0,"phi":2.0000000000000004,"theta":0}"#,
                not_within("phi", 2.0),
                33,
            ),
            (r#"{"operation":"R","qubit":0,"phi":0,"theta":-1e-9}"#, not_within("theta", 1.0), 43),
            (r#"{"operation":"RXX","qubits":[0,1],"theta":0.6}"#, not_within("theta", 0.5), 42),
            (
                r#"{"operation":"RXX","qubits":[1,1],"theta":0}"#,
                circuit(CircuitError::DuplicateQubits { qubit: 1 }),
                28,
            ),
            (r#"{"operation":"RXX","qubits":[1],"theta":0}"#, Kind::Expected("','"), 30),
            (r#"{"operation":"RXX","qubits":[0,1,2],"theta":0}"#, Kind::Expected("']'"), 32),
            (
                r#"{"operation":"RZ","phi":0,"qubit":2},{"operation":"MEASURE"}"#,
                circuit(CircuitError::QubitOutOfRange { qubit: 2, num_qubits: 2 }),
                0,
            ),
            (
                r#"{"operation":"MEASURE"},{"operation":"MEASURE"}"#,
                circuit(CircuitError::GateAfterMeasurement),
                24,
            ),
        ] {
            assert_eq!(fails(operation), (kind, FIRST + offset), "{operation}");
        }
        let no_measurement = circuit(CircuitError::NoMeasurement);
        assert_eq!(fails(""), (no_measurement.clone(), FIRST - 1));
        let gate = r#"{"operation":"RZ","qubit":0,"phi":0}"#;
        assert_eq!(fails(gate), (no_measurement, FIRST - 1));
    }

    #[test]
    fn amounts_are_checked() {
        let operation = r#"{"operation":"RZ","qubit":0,"phi":0},"#;
        let measure = r#"{"operation":"MEASURE"}"#;
        let job = |gates: usize, circuits: usize, numbers: &str| {
            let operations = operation.repeat(gates) + measure;
            let circuit = format!(r#"{{"quantum_circuit":[{operations}],{numbers}}}"#);
            let circuits = vec![circuit; circuits].join(",");
            read(format!(r#"{{"payload":{{"circuits":[{circuits}]}}}}"#).as_bytes())
                .map_err(|error| error.kind)
        };
        let good = r#""repetitions":1,"number_of_qubits":1"#;
        let not_within = |what, upper| Err(Kind::NotWithin { what, lower: 1.0, upper });
        assert_eq!(job(1999, 50, good).unwrap().circuits().len(), 50);
        assert_eq!(job(2000, 1, good), not_within("number of operations", 2000.0));
        assert_eq!(job(0, 51, good), not_within("number of circuits", 50.0));
        assert_eq!(job(0, 0, good), not_within("number of circuits", 50.0));
        for number in ["0", "2001", "99999999999"] {
            let numbers = format!(r#""number_of_qubits":1,"repetitions":{number}"#);
            assert_eq!(job(0, 1, &numbers), not_within("repetitions", 2000.0));
        }
        for number in ["0", "32"] {
            let numbers = format!(r#""number_of_qubits":{number},"repetitions":1"#);
            assert_eq!(job(0, 1, &numbers), not_within("number_of_qubits", 31.0));
        }
        for number in ["1.0", "1e0", "-1"] {
            let numbers = format!(r#""number_of_qubits":{number},"repetitions":1"#);
            assert_eq!(job(0, 1, &numbers), Err(Kind::NumberOutOfRange));
        }
        let twice = format!(r#"{good},"repetitions":1"#);
        assert_eq!(job(0, 1, &twice), Err(Kind::DuplicateKey("repetitions".into())));
    }

    #[test]
    fn the_rest_of_the_body_is_checked() {
        let wrong = |body: &str| {
            let error = read(body.as_bytes()).unwrap_err();
            (error.kind, error.offset)
        };
        assert_eq!(wrong("{}"), (Kind::MissingKey("payload"), 0));
        assert_eq!(wrong(r#"{"payload":{}}"#), (Kind::MissingKey("circuits"), 11));
        assert_eq!(wrong(r#"{"job_type":"pulse"}"#), (Kind::UnknownJobType("pulse".into()), 12));
        assert_eq!(wrong(r#"{"label":7}"#), (Kind::Expected("a string"), 9));
        assert_eq!(wrong(r#"{"payload":null}"#), (Kind::Expected("an object"), 11));
        let good = body(r#"{"operation":"MEASURE"}"#);
        assert_eq!(wrong(&format!("{good}x")), (Kind::TrailingData, good.len()));
    }
}
