//! Bodies written down once: any change to a single byte of them is a change of the interface.

use std::{f64::consts::PI, fmt::Write};

use aqt_core::{
    Circuit, CircuitBuilder, JobState, Limits, Operation,
    wire::{encoder::encode_job, response},
};

fn circuit(num_qubits: u32, operations: &[Operation]) -> Circuit {
    let limits = Limits::default();
    let mut builder = CircuitBuilder::new(num_qubits, 1, operations.len(), limits).unwrap();
    for &operation in operations {
        builder.gate(operation).unwrap();
    }
    builder.measure(0, 0).unwrap();
    builder.finish().unwrap()
}

/// The body of a job, and a line break as at the end of a file.
fn body(circuits: impl IntoIterator<Item = Circuit>, shots: u32, label: Option<&str>) -> String {
    let circuits: Vec<_> = circuits.into_iter().collect();
    let runs = circuits.iter().map(|circuit| (circuit, shots));
    String::from_utf8(encode_job(runs, label)).unwrap() + "\n"
}

/// A decoded state for the eye: all fields, a line a shot.
fn rendered(state: &JobState) -> String {
    let mut text = format!("status: {}\n", state.status.name());
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".into());
    let finished_count = state.finished_count.map(|count| count.to_string());
    writeln!(text, "finished_count: {}", or_none(finished_count)).unwrap();
    let message = state.message.as_ref().map(|message| format!("{message:?}"));
    writeln!(text, "message: {}", or_none(message)).unwrap();
    if let Some(changes) = &state.timing {
        text += "timing:\n";
        for change in changes {
            writeln!(text, "  {:?} at {:?}", change.new_status, change.timestamp).unwrap();
        }
    } else {
        text += "timing: none\n";
    }
    if let Some(circuits) = &state.samples {
        for (index, samples) in circuits.iter().enumerate() {
            let (shots, qubits) = (samples.num_shots(), samples.num_qubits());
            writeln!(text, "circuit {index}: {shots} shots, {qubits} qubits").unwrap();
            for shot in 0..shots {
                let bit = |qubit| if samples.get(shot, qubit) { '1' } else { '0' };
                writeln!(text, "  {}", (0..qubits).map(bit).collect::<String>()).unwrap();
            }
        }
    } else {
        text += "no samples\n";
    }
    text
}

fn check_response(body: &str, expected: &str) {
    let state = response::decode(body.as_bytes()).unwrap();
    assert_eq!(rendered(&state), expected);
}

/// One of each gate; a label with a quotation mark, a line break and a letter beyond ASCII.
#[test]
fn a_request_with_one_circuit() {
    let circuit = circuit(
        2,
        &[
            Operation::rz(0, PI / 2.0).unwrap(),
            Operation::r(1, PI / 4.0, 1.5 * PI).unwrap(),
            Operation::rxx([1, 0], PI / 2.0).unwrap(),
        ],
    );
    let body = body([circuit], 200, Some("say \"ion\" \n\u{e9}"));
    assert_eq!(body, include_str!("golden/request_one_circuit.json"));
}

/// No label; a circuit without gates; both bounds of the angles, and angles moved onto them.
#[test]
fn a_request_with_two_circuits() {
    let second = circuit(
        12,
        &[
            Operation::r(10, PI + 5e-10, 2.0 * PI).unwrap(),
            Operation::r(0, 0.0, -5e-10).unwrap(),
            Operation::rz(3, -3.0 * PI).unwrap(),
            Operation::rz(3, 0.1 * PI).unwrap(),
            Operation::rxx([2, 11], -0.0).unwrap(),
        ],
    );
    let body = body([circuit(1, &[]), second], 1, None);
    assert_eq!(body, include_str!("golden/request_two_circuits.json"));
}

/// A finished job as the portal writes it; two circuits of different width.
#[test]
fn a_finished_response() {
    let body = include_str!("golden/response_finished.json");
    check_response(body, include_str!("golden/response_finished.txt"));
}

/// A finished job spread over many lines, with status changes, circuits out of order, further
/// keys at each level and escapes.
#[test]
fn a_pretty_printed_response() {
    let body = include_str!("golden/response_pretty.json");
    check_response(body, include_str!("golden/response_pretty.txt"));
}

/// A failed job.
#[test]
fn an_error_response() {
    let body = include_str!("golden/response_error.json");
    check_response(body, include_str!("golden/response_error.txt"));
}
