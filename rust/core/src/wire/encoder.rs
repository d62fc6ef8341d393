//! Checked circuits → a request body, compact JSON.
//!
//! Cloud: `{"job_type":"quantum_circuit","label":…,"payload":{"circuits":[…]}}`. A circuit, which is
//! the whole body for direct access, is
//! `{"repetitions":…,"quantum_circuit":[operation…],"number_of_qubits":…}`.

use crate::circuit::{Circuit, Operation};

/// No operation on fewer than 100 qubits is longer: R with two angles of 23 characters takes 91.
const BYTES_PER_OPERATION: usize = 96;

/// The request body of one API job: a circuit and its repetitions for each run.
///
/// A circuit may stand in several runs.
#[must_use]
pub fn encode_job<'a, Runs>(runs: Runs, label: Option<&str>) -> Vec<u8>
where
    Runs: IntoIterator<Item = (&'a Circuit, u32), IntoIter: Clone>,
{
    let runs = runs.into_iter();
    let label_bytes = label.map_or(0, |label| 6 * label.len());
    let capacity = capacity(runs.clone().map(|(circuit, _)| circuit));
    let mut out = Vec::with_capacity(label_bytes + capacity);
    out.extend_from_slice(br#"{"job_type":"quantum_circuit","label":"#);
    match label {
        Some(label) => write_string(&mut out, label),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(br#","payload":{"circuits":["#);
    for (index, (circuit, shots)) in runs.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_circuit(&mut out, circuit, shots);
    }
    out.extend_from_slice(b"]}}");
    out
}

/// The request body of direct access: one circuit and its repetitions.
#[must_use]
pub fn encode_circuit(circuit: &Circuit, shots: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(capacity([circuit]));
    write_circuit(&mut out, circuit, shots);
    out
}

/// Enough bytes for the text of these circuits and of the rest of a body without its label.
fn capacity<'a>(circuits: impl IntoIterator<Item = &'a Circuit>) -> usize {
    let pieces = |circuit: &Circuit| circuit.operations().len() + 2;
    let pieces: usize = circuits.into_iter().map(pieces).sum();
    (pieces + 2) * BYTES_PER_OPERATION
}

/// Appends one circuit object.
fn write_circuit(out: &mut Vec<u8>, circuit: &Circuit, shots: u32) {
    let mut piece = Piece::new();
    piece.put(br#"{"repetitions":"#);
    piece.put_integer(shots);
    piece.put(br#","quantum_circuit":["#);
    piece.write_to(out);
    for operation in circuit.operations() {
        piece.put_operation(operation);
        piece.write_to(out);
    }
    piece.put(br#"{"operation":"MEASURE"}],"number_of_qubits":"#);
    piece.put_integer(circuit.num_qubits());
    piece.put(b"}");
    piece.write_to(out);
}

/// A short piece of the text. Collecting it in an array of fixed size is faster than
/// appending each part to a vector, which has to check its capacity every time.
struct Piece {
    bytes: [u8; Self::SIZE],
    len: usize,
}

impl Piece {
    /// No piece is longer: R with a qubit of 10 digits takes at most 101.
    const SIZE: usize = 128;

    fn new() -> Self {
        Self { bytes: [0; Self::SIZE], len: 0 }
    }

    /// Appends the piece to `out` and starts the next one.
    fn write_to(&mut self, out: &mut Vec<u8>) {
        // A copy of a fixed size is faster than one of any size.
        let end = out.len() + self.len;
        out.extend_from_slice(&self.bytes);
        out.truncate(end);
        self.len = 0;
    }

    fn put<const N: usize>(&mut self, text: &[u8; N]) {
        self.bytes[self.len..][..N].copy_from_slice(text);
        self.len += N;
    }

    /// An operation, and the comma before the next one.
    fn put_operation(&mut self, operation: &Operation) {
        match *operation {
            Operation::Rz { qubit, phi } => {
                self.put(br#"{"operation":"RZ","qubit":"#);
                self.put_integer(qubit);
                self.put(br#","phi":"#);
                self.put_number(phi);
            }
            Operation::R { qubit, phi, theta } => {
                self.put(br#"{"operation":"R","qubit":"#);
                self.put_integer(qubit);
                self.put(br#","phi":"#);
                self.put_number(phi);
                self.put(br#","theta":"#);
                self.put_number(theta);
            }
            Operation::Rxx { qubits: [a, b], theta } => {
                self.put(br#"{"operation":"RXX","qubits":["#);
                self.put_integer(a);
                self.put(b",");
                self.put_integer(b);
                self.put(br#"],"theta":"#);
                self.put_number(theta);
            }
        }
        self.put(b"},");
    }

    /// Decimal digits; most qubit indices have one or two.
    fn put_integer(&mut self, value: u32) {
        let digit = |value: u32| b"0123456789"[(value % 10) as usize];
        if value < 10 {
            self.put(&[digit(value)]);
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
        for &digit in &digits[start..] {
            self.put(&[digit]);
        }
    }

    /// Shortest decimal that reads back as the same double. Operations hold finite numbers only.
    fn put_number(&mut self, value: f64) {
        let mut buffer = zmij::Buffer::new();
        let digits = buffer.format_finite(value).as_bytes();
        let place = &mut self.bytes[self.len..][..digits.len()];
        // Two copies of a fixed size, which overlap, are faster than one of any size.
        if let (Some(head), Some(tail)) = (digits.first_chunk::<16>(), digits.last_chunk::<16>()) {
            place[..16].copy_from_slice(head);
            let start = place.len() - 16;
            place[start..].copy_from_slice(tail);
        } else {
            place.copy_from_slice(digits);
        }
        self.len += digits.len();
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
    fn no_operation_needs_more_than_its_share() {
        let longest = 1.234_567_890_123_456_7e-100;
        for operation in [
            Operation::R { qubit: 99, phi: longest, theta: longest },
            Operation::Rxx { qubits: [98, 99], theta: longest },
            Operation::Rz { qubit: 99, phi: -1.234_567_890_123_456_7e-300 },
        ] {
            let mut piece = Piece::new();
            piece.put_operation(&operation);
            assert!(piece.len <= BYTES_PER_OPERATION, "{}", piece.len);
        }
    }

    #[test]
    fn the_longest_operation_fits() {
        let longest = -f64::MIN_POSITIVE;
        for operation in [
            Operation::R { qubit: u32::MAX, phi: longest, theta: longest },
            Operation::Rxx { qubits: [u32::MAX; 2], theta: longest },
        ] {
            let mut text = Vec::new();
            let mut piece = Piece::new();
            piece.put_operation(&operation);
            assert!(piece.len <= 101, "{}", piece.len);
            piece.write_to(&mut text);
            assert!(text.ends_with(b"-2.2250738585072014e-308},"));
        }
    }

    #[test]
    fn the_capacity_is_enough() {
        let longest = 1.234_567_890_123_456_7e-100;
        let operation = Operation::R { qubit: 99, phi: longest, theta: longest };
        for (circuits, gates) in [(0, 0), (1, 0), (50, 0), (50, 100)] {
            let circuits = vec![Circuit::from_checked(100, vec![operation; gates]); circuits];
            for label in [None, Some("\u{1}".repeat(1000))] {
                let length = label.as_deref().map_or(0, str::len);
                let runs = circuits.iter().map(|circuit| (circuit, u32::MAX));
                let body = encode_job(runs, label.as_deref());
                assert!(body.len() <= 6 * length + capacity(&circuits), "{}", body.len());
            }
        }
    }

    #[test]
    fn circuits_are_separated_by_commas() {
        let circuit = |qubits| Circuit::from_checked(qubits, vec![]);
        let object = |qubits| {
            format!(
                r#"{{"repetitions":7,"quantum_circuit":[{{"operation":"MEASURE"}}],"number_of_qubits":{qubits}}}"#
            )
        };
        assert_eq!(encode_circuit(&circuit(3), 7), object(3).as_bytes());
        for numbers in [&[][..], &[1], &[1, 20], &[1, 20, 300]] {
            let circuits: Vec<_> = numbers.iter().map(|&number| circuit(number)).collect();
            let objects: Vec<_> = numbers.iter().map(|&number| object(number)).collect();
            let expected = format!(
                r#"{{"job_type":"quantum_circuit","label":"x","payload":{{"circuits":[{}]}}}}"#,
                objects.join(",")
            );
            let runs = circuits.iter().map(|circuit| (circuit, 7));
            assert_eq!(encode_job(runs, Some("x")), expected.as_bytes());
        }
    }
}
