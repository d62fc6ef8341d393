//! A checked circuit → its part of a request body, compact JSON.
//!
//! Body: `{"job_type":"quantum_circuit","label":…,"payload":{"circuits":[…]}}`.
//! A circuit is `{"repetitions":…,"quantum_circuit":[operation…],"number_of_qubits":…}`.
//! [`crate::encoder`] puts the parts together.

use crate::{circuit::Circuit, operation::Operation};

/// No operation on fewer than 100 qubits is longer: R with two angles of 23 characters takes 91.
const BYTES_PER_OPERATION: usize = 96;

const MEASURE: &[u8] = br#"{"operation":"MEASURE"}"#;

/// What follows the last circuit.
pub(crate) const FOOT: &[u8] = b"]}}";

/// What comes before the first circuit.
pub(crate) fn head(label: Option<&str>) -> Vec<u8> {
    let mut head = br#"{"job_type":"quantum_circuit","label":"#.to_vec();
    match label {
        Some(label) => write_string(&mut head, label),
        None => head.extend_from_slice(b"null"),
    }
    head.extend_from_slice(br#","payload":{"circuits":["#);
    head
}

/// Enough bytes for the text of circuits with so many gates in all.
pub(crate) fn capacity(circuits: usize, gates: usize) -> usize {
    (gates + 2 * circuits) * BYTES_PER_OPERATION
}

/// Appends circuit objects with commas between them.
pub(crate) fn write_circuits(out: &mut Vec<u8>, circuits: &[Circuit], shots: u32) {
    for (index, circuit) in circuits.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_circuit(out, circuit, shots);
    }
}

/// Appends one circuit object.
pub fn write_circuit(out: &mut Vec<u8>, circuit: &Circuit, shots: u32) {
    out.extend_from_slice(br#"{"repetitions":"#);
    write_integer(out, shots);
    out.extend_from_slice(br#","quantum_circuit":["#);
    for operation in circuit.operations() {
        write_operation(out, operation);
        out.push(b',');
    }
    out.extend_from_slice(MEASURE);
    out.extend_from_slice(br#"],"number_of_qubits":"#);
    write_integer(out, circuit.num_qubits());
    out.push(b'}');
}

fn write_operation(out: &mut Vec<u8>, operation: &Operation) {
    match *operation {
        Operation::Rz { qubit, phi } => {
            out.extend_from_slice(br#"{"operation":"RZ","qubit":"#);
            write_integer(out, qubit);
            out.extend_from_slice(br#","phi":"#);
            write_number(out, phi);
        }
        Operation::R { qubit, phi, theta } => {
            out.extend_from_slice(br#"{"operation":"R","qubit":"#);
            write_integer(out, qubit);
            out.extend_from_slice(br#","phi":"#);
            write_number(out, phi);
            out.extend_from_slice(br#","theta":"#);
            write_number(out, theta);
        }
        Operation::Rxx { qubits: [a, b], theta } => {
            out.extend_from_slice(br#"{"operation":"RXX","qubits":["#);
            write_integer(out, a);
            out.push(b',');
            write_integer(out, b);
            out.extend_from_slice(br#"],"theta":"#);
            write_number(out, theta);
        }
    }
    out.push(b'}');
}

/// Decimal digits; qubit indices are nearly always one or two of them.
fn write_integer(out: &mut Vec<u8>, value: u32) {
    let digit = |value: u32| b"0123456789"[(value % 10) as usize];
    if value < 10 {
        out.push(digit(value));
        return;
    }
    let mut digits = [0; 10];
    let mut start = digits.len();
    let mut rest = value;
    while rest > 0 {
        start -= 1;
        digits[start] = digit(rest);
        rest /= 10;
    }
    out.extend_from_slice(&digits[start..]);
}

/// Shortest decimal that reads back as the same double. Operations hold finite numbers only.
fn write_number(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let digits = buffer.format_finite(value).as_bytes();
    // Two copies of a fixed size, which overlap, are faster than one of any size.
    if let (Some(head), Some(tail)) = (digits.first_chunk::<16>(), digits.last_chunk::<16>()) {
        let end = out.len() + digits.len();
        out.extend_from_slice(head);
        out.truncate(end - tail.len());
        out.extend_from_slice(tail);
    } else {
        out.extend_from_slice(digits);
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..=0x1f => {
                let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
                out.extend_from_slice(br"\u00");
                out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_is_enough() {
        let longest = 1.234_567_890_123_456_7e-100;
        for operation in [
            Operation::R { qubit: 99, phi: longest, theta: longest },
            Operation::Rxx { qubits: [98, 99], theta: longest },
            Operation::Rz { qubit: 99, phi: -1.234_567_890_123_456_7e-300 },
        ] {
            let mut text = Vec::new();
            write_operation(&mut text, &operation);
            assert!(text.len() < BYTES_PER_OPERATION, "{}", text.len());
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut text = Vec::new();
        write_string(&mut text, "a\"b\\c\n\u{1}é");
        assert_eq!(String::from_utf8(text).unwrap(), "\"a\\\"b\\\\c\\u000a\\u0001é\"");
    }
}
