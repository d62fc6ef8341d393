//! A fake device: a job → made-up samples, as the text of a response's `result`.
//!
//! A circuit of RZ and of R with θ of 0 or π alone gives the outcomes of a device without errors:
//! each shot has each qubit's parity of flips. Tests identify circuits by them. Any other circuit
//! gives random bits. It is fast so that benchmarks do not measure the test server.

use super::{
    request::Job,
    shots::{FOUR_BITS, FOUR_ZEROS},
};
use crate::{
    circuit::{Circuit, Operation},
    random::Random,
};

/// A product with this has a copy of four bits at 0, 15, 30 and 45: bit i of the copy at 15i is
/// at 16i.
const SCATTER: u64 = 1 | 1 << 15 | 1 << 30 | 1 << 45;

/// A row of 32 samples, whole words of four: more than the 31 qubits of a [`Job`].
const WORDS: usize = 8;

/// Room for the longest row with its bracket before and its bracket and comma behind.
const ROW_BYTES: usize = 2 + 8 * WORDS;

/// The samples of all circuits, compact: `{"0":[[0,1],…],"1":…}`.
///
/// Random bits depend on `seed` and on the circuit's index only.
#[must_use]
pub fn result(job: &Job, seed: u64) -> Vec<u8> {
    let length = |(repetitions, circuit): &(u32, Circuit)| {
        *repetitions as usize * row_bytes(circuit) + r#","00":[]"#.len()
    };
    let mut out = Vec::with_capacity(job.circuits().iter().map(length).sum::<usize>() + ROW_BYTES);
    out.push(b'{');
    for (index, (repetitions, circuit)) in job.circuits().iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(format!("\"{index}\":[").as_bytes());
        write_shots(&mut out, *repetitions, circuit, Random::new(seed, index as u64));
        out.push(b']');
    }
    out.push(b'}');
    out
}

/// Length of `[b,…,b],`.
fn row_bytes(circuit: &Circuit) -> usize {
    2 * circuit.num_qubits() as usize + 2
}

fn write_shots(out: &mut Vec<u8>, repetitions: u32, circuit: &Circuit, mut random: Random) {
    let length = row_bytes(circuit);
    let start = out.len();
    let end = start + repetitions as usize * length;
    // A row is written in whole words, the last one perhaps beyond the end.
    out.resize(end + ROW_BYTES, 0);
    let mut rest = &mut out[start..];
    let flipped = flipped(circuit);
    for _ in 0..repetitions {
        write_row(rest, flipped.unwrap_or_else(|| random.next()), length);
        rest = &mut rest[length..];
    }
    // The last row has no comma behind it.
    out.truncate(end - 1);
}

/// Puts the text of a shot and a comma at the start of `place`; bit q of `bits` is qubit q.
fn write_row(place: &mut [u8], bits: u64, length: usize) {
    place[0] = b'[';
    let (words, _) = place[1..ROW_BYTES].as_chunks_mut::<8>();
    for (index, word) in words[..(length / 2 - 1).div_ceil(4)].iter_mut().enumerate() {
        let four = bits >> (4 * index) & 0xf;
        *word = (FOUR_ZEROS | four.wrapping_mul(SCATTER) & FOUR_BITS).to_le_bytes();
    }
    place[length - 2..length].copy_from_slice(b"],");
}

/// Bit q tells whether qubit q ends in state 1; `None` for a circuit with other operations than RZ and
/// R with θ of 0 or π.
fn flipped(circuit: &Circuit) -> Option<u64> {
    let mut flipped = 0;
    for operation in circuit.operations() {
        match *operation {
            Operation::R { qubit, theta: 1.0, .. } => flipped ^= 1 << qubit,
            Operation::R { theta: 0.0, .. } | Operation::Rz { .. } => {}
            Operation::R { .. } | Operation::Rxx { .. } => return None,
        }
    }
    Some(flipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_width() {
        let mut random = Random::new(0, 0);
        for width in 1..=31 {
            for bits in [0, u64::MAX, random.next()] {
                let bit = |place: usize| if bits >> place & 1 == 1 { "1" } else { "0" };
                let expected: Vec<_> = (0..width).map(bit).collect();
                let expected = format!("[{}],", expected.join(","));
                let mut row = [0; ROW_BYTES];
                write_row(&mut row, bits, expected.len());
                assert_eq!(std::str::from_utf8(&row[..expected.len()]).unwrap(), expected);
            }
        }
    }

    #[test]
    fn streams_differ() {
        let mut first = Vec::new();
        for seed in 0..30 {
            first.extend((0..50).map(|index| Random::new(seed, index).next()));
        }
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), 1500);
    }

    #[test]
    fn flips_add_up() {
        let r = |qubit, theta| Operation::R { qubit, phi: 0.3, theta };
        let circuit = |operations: &[Operation]| Circuit::from_checked(3, operations.to_vec());
        let rz = Operation::Rz { qubit: 1, phi: 0.7 };
        let flips = [r(0, 1.0), r(2, 1.0), rz, r(0, 0.0), r(2, 1.0), r(2, 1.0)];
        assert_eq!(flipped(&circuit(&flips)), Some(0b101));
        assert_eq!(flipped(&circuit(&[])), Some(0));
        assert_eq!(flipped(&circuit(&[r(0, 1.0_f64.next_down())])), None);
        assert_eq!(flipped(&circuit(&[r(0, 5e-324)])), None);
        assert_eq!(flipped(&circuit(&[Operation::Rxx { qubits: [0, 1], theta: 0.0 }])), None);
    }
}
