//! Packed measurement outcomes of one circuit.

use crate::random::Random;

/// Outcomes of one circuit: a row a shot, a bit a qubit.
///
/// Rows are [`Samples::stride`] bytes long. Qubit `q` is bit `q % 8` of byte `q / 8` of its row;
/// the bits beyond the last qubit are 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    num_shots: usize,
    num_qubits: usize,
    rows: Vec<u8>,
}

impl Samples {
    /// Samples from packed rows of `num_qubits` bits.
    ///
    /// Returns `None` unless `rows` has `num_shots` rows and no bit beyond the last qubit is set.
    #[must_use]
    pub fn new(num_shots: usize, num_qubits: usize, rows: Vec<u8>) -> Option<Self> {
        let stride = num_qubits.div_ceil(8);
        if rows.len() != num_shots.checked_mul(stride)? {
            return None;
        }
        let padding = !(0xff_u8 >> (stride * 8 - num_qubits));
        if stride > 0 && rows.chunks_exact(stride).any(|row| row[stride - 1] & padding != 0) {
            return None;
        }
        Some(Self { num_shots, num_qubits, rows })
    }

    /// Samples from rows that are known to fit.
    pub(crate) fn from_packed(num_shots: usize, num_qubits: usize, rows: Vec<u8>) -> Self {
        debug_assert_eq!(rows.len(), num_shots * num_qubits.div_ceil(8));
        Self { num_shots, num_qubits, rows }
    }

    /// Samples from outcomes in hexadecimal, like `0x1f`: bit `i` of a number is qubit `i`.
    ///
    /// Returns `None` unless each text is a number of at most `num_qubits` bits.
    pub fn from_hex<'a>(
        texts: impl ExactSizeIterator<Item = &'a str>,
        num_qubits: usize,
    ) -> Option<Self> {
        let num_shots = texts.len();
        let stride = num_qubits.div_ceil(8);
        let mut rows = vec![0; num_shots.checked_mul(stride)?];
        for (shot, text) in texts.enumerate() {
            let digits = text.strip_prefix("0x").filter(|digits| !digits.is_empty())?;
            let row = &mut rows[shot * stride..(shot + 1) * stride];
            for (place, digit) in digits.bytes().rev().enumerate() {
                let nibble = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return None,
                };
                match row.get_mut(place / 2) {
                    Some(byte) => *byte |= nibble << (place % 2 * 4),
                    None if nibble == 0 => {}
                    None => return None,
                }
            }
        }
        Self::new(num_shots, num_qubits, rows)
    }

    /// Samples from counts of outcomes in hexadecimal, in an order that only `seed` decides.
    ///
    /// Each order is equally likely, so that shots that were independent still are. The order of
    /// `counts` has no influence.
    ///
    /// Returns `None` unless each text is a number of at most `num_qubits` bits, and all shots
    /// together have a place in memory.
    pub fn from_counts<'a>(
        counts: impl ExactSizeIterator<Item = (&'a str, usize)> + Clone,
        num_qubits: usize,
        seed: u64,
    ) -> Option<Self> {
        let distinct = Self::from_hex(counts.clone().map(|(text, _)| text), num_qubits)?;
        let stride = distinct.stride();
        let numbers = counts.map(|(_, number)| number);
        let num_shots = numbers.clone().try_fold(0_usize, usize::checked_add)?;
        if stride == 0 {
            return Some(Self::from_packed(num_shots, num_qubits, Vec::new()));
        }
        let mut kinds: Vec<_> = distinct.rows.chunks_exact(stride).zip(numbers).collect();
        kinds.sort_unstable();
        let mut order = Vec::new();
        order.try_reserve_exact(num_shots).ok()?;
        for (row, number) in kinds {
            order.resize(order.len() + number, row);
        }
        Random::new(seed, 0).shuffle(&mut order);
        Some(Self::from_packed(num_shots, num_qubits, order.concat()))
    }

    /// The shots of several runs of one circuit, one after the other.
    ///
    /// Returns `None` if there are none, or if they have different numbers of qubits.
    #[must_use]
    pub fn concatenate(parts: &[&Self]) -> Option<Self> {
        let num_qubits = parts.first()?.num_qubits;
        if parts.iter().any(|part| part.num_qubits != num_qubits) {
            return None;
        }
        let num_shots = parts.iter().map(|part| part.num_shots).sum();
        let rows = parts.iter().map(|part| part.rows.as_slice()).collect::<Vec<_>>().concat();
        Some(Self::from_packed(num_shots, num_qubits, rows))
    }

    /// Repetitions of the circuit.
    #[must_use]
    pub fn num_shots(&self) -> usize {
        self.num_shots
    }

    /// Width of a row in bits, unmeasured qubits included.
    #[must_use]
    pub fn num_qubits(&self) -> usize {
        self.num_qubits
    }

    /// Length of a row in bytes.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.num_qubits.div_ceil(8)
    }

    /// All rows, in the order of the shots.
    #[must_use]
    pub fn rows(&self) -> &[u8] {
        &self.rows
    }

    /// Whether `qubit` was found in state 1 in `shot`.
    ///
    /// # Panics
    /// If there is no such shot or no such qubit.
    #[must_use]
    pub fn get(&self, shot: usize, qubit: usize) -> bool {
        assert!(shot < self.num_shots && qubit < self.num_qubits, "sample out of range");
        self.rows[shot * self.stride() + qubit / 8] >> (qubit % 8) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_shots_in_random_order() {
        let made = |counts: &[(&'static str, usize)], seed| {
            Samples::from_counts(counts.iter().copied(), 9, seed)
        };
        let counts = [("0x1f", 300), ("0x0", 100), ("0x100", 600)];
        let samples = made(&counts, 5).unwrap();
        assert_eq!((samples.num_shots(), samples.num_qubits()), (1000, 9));
        let number =
            |part: &[u8], row: [u8; 2]| part.chunks_exact(2).filter(|&found| found == row).count();
        for (row, expected) in [([0x1f, 0], 300), ([0, 0], 100), ([0, 1], 600)] {
            assert_eq!(number(samples.rows(), row), expected);
            // Six standard deviations of a hypergeometric distribution at most.
            let half = number(&samples.rows()[..1000], row);
            assert!(half.abs_diff(expected / 2) < 48, "{row:?}: {half}");
        }
        let turned: Vec<_> = counts.iter().rev().copied().collect();
        assert_eq!(made(&turned, 5).unwrap(), samples);
        assert_ne!(made(&counts, 6).unwrap(), samples);
        assert!(made(&[("0x200", 1)], 1).is_none());
        assert!(made(&[("0x0", usize::MAX), ("0x1", 1)], 1).is_none());
        assert_eq!(made(&[], 1), Samples::new(0, 9, vec![]));
        let empty = Samples::from_counts([("0x0", 7)].into_iter(), 0, 1).unwrap();
        assert_eq!((empty.num_shots(), empty.rows()), (7, &[][..]));
    }

    #[test]
    fn runs_follow_each_other() {
        let run = |rows: &[u8]| Samples::new(rows.len() / 2, 9, rows.to_vec()).unwrap();
        let (first, none, last) = (run(&[1, 0, 2, 1]), run(&[]), run(&[255, 1]));
        let joined = Samples::concatenate(&[&first, &none, &last]).unwrap();
        assert_eq!(joined, run(&[1, 0, 2, 1, 255, 1]));
        let other = Samples::new(1, 8, vec![1]).unwrap();
        assert!(Samples::concatenate(&[&first, &other]).is_none());
        assert!(Samples::concatenate(&[]).is_none());
    }

    #[test]
    fn hexadecimal_texts_are_rows() {
        let read =
            |texts: &[&str], num_qubits| Samples::from_hex(texts.iter().copied(), num_qubits);
        let rows = vec![0x1f, 0, 0xed, 1, 0, 0];
        assert_eq!(read(&["0x1f", "0x01ed", "0x0"], 9), Samples::new(3, 9, rows));
        assert_eq!(read(&["0x0", "0x00"], 0), Samples::new(2, 0, vec![]));
        assert_eq!(read(&[], 3), Samples::new(0, 3, vec![]));
        assert_eq!(read(&["0x0001"], 1), Samples::new(1, 1, vec![1]));
        for wrong in ["0x200", "0x1000", "0x", "1f", "0xg", "0x-1", ""] {
            assert_eq!(read(&[wrong], 9), None, "{wrong}");
        }
    }

    #[test]
    fn qubits_are_placed() {
        let samples = Samples::new(2, 3, vec![0b011, 0b100]).unwrap();
        let placed = samples.placed(&[9, 0, 70], 71).unwrap();
        for shot in 0..2 {
            for qubit in 0..71 {
                let source = [9, 0, 70].iter().position(|&target| target == qubit);
                let expected = source.is_some_and(|source| samples.get(shot, source));
                assert_eq!(placed.get(shot, qubit), expected, "{shot} {qubit}");
            }
        }
        let narrow = samples.placed(&[8, 0, 3], 9).unwrap();
        assert_eq!(narrow, Samples::new(2, 9, vec![1, 1, 8, 0]).unwrap());
        assert_eq!(samples.placed(&[0, 1, 2], 3).unwrap(), samples);
        assert_eq!(samples.placed(&[0, 1], 3), None);
        assert_eq!(samples.placed(&[0, 1, 3], 3), None);
    }

    #[test]
    fn rows_must_fit() {
        assert!(Samples::new(2, 9, vec![0, 1, 255, 0]).is_some());
        assert!(Samples::new(2, 9, vec![0, 1, 255]).is_none());
        assert!(Samples::new(2, 9, vec![0, 1, 255, 2]).is_none());
        assert!(Samples::new(3, 0, vec![]).is_some());
        assert!(Samples::new(1, 8, vec![255]).is_some());
        let samples = Samples::new(2, 9, vec![0, 1, 4, 0]).unwrap();
        assert!(samples.get(0, 8) && samples.get(1, 2) && !samples.get(0, 2));
    }
}
