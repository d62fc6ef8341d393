//! Packed measurement outcomes of one circuit.

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
