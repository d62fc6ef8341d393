//! Every field, range and error of a request body.

use super::read;
use crate::{
    circuit::Operation,
    error::{BodyErrorKind as Kind, CircuitError},
};

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
