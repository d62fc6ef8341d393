//! Pauli terms in bit masks.

use crate::bits::count;

/// Hermitian Pauli terms without coefficients.
#[derive(Clone, Debug)]
pub struct Terms {
    words: usize,
    x: Vec<u64>,
    z: Vec<u64>,
}

impl Terms {
    /// Terms of `words` words a mask. `None` if the masks do not have whole and equal numbers of terms.
    #[must_use]
    pub fn new(words: usize, x: Vec<u64>, z: Vec<u64>) -> Option<Self> {
        (words > 0 && x.len() == z.len() && x.len().is_multiple_of(words)).then_some(Self {
            words,
            x,
            z,
        })
    }

    /// Number of terms.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.x.len() / self.words
    }

    /// Whether there are no terms.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// Number of words of a mask.
    #[must_use]
    pub const fn words(&self) -> usize {
        self.words
    }

    /// Qubits on which a term has X or Y.
    #[must_use]
    pub fn x(&self, term: usize) -> &[u64] {
        &self.x[term * self.words..][..self.words]
    }

    /// Qubits on which a term has Z or Y.
    #[must_use]
    pub fn z(&self, term: usize) -> &[u64] {
        &self.z[term * self.words..][..self.words]
    }

    /// Number of qubits on which a term acts.
    #[must_use]
    pub fn weight(&self, term: usize) -> u32 {
        count(self.x(term).iter().zip(self.z(term)).map(|(x, z)| x | z))
    }

    /// Words of two terms side by side: x and z of the one, x and z of the other.
    fn pairs(&self, one: usize, other: usize) -> impl Iterator<Item = [u64; 4]> {
        let of = |term| self.x(term).iter().zip(self.z(term));
        of(one).zip(of(other)).map(|((x, z), (other_x, other_z))| [*x, *z, *other_x, *other_z])
    }

    /// Whether two terms commute.
    #[must_use]
    pub fn commute(&self, one: usize, other: usize) -> bool {
        let differing = self
            .pairs(one, other)
            .fold(0, |sum, [x, z, other_x, other_z]| sum ^ (x & other_z) ^ (z & other_x));
        differing.count_ones().is_multiple_of(2)
    }

    /// Whether two terms have the same Pauli matrix on each qubit on which both act.
    #[must_use]
    pub fn commute_qubit_wise(&self, one: usize, other: usize) -> bool {
        self.pairs(one, other).all(|[x, z, other_x, other_z]| {
            (x | z) & (other_x | other_z) & ((x ^ other_x) | (z ^ other_z)) == 0
        })
    }
}
