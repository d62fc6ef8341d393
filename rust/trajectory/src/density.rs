//! Density matrices as expectation values of all products of Paulis: exact, for few qubits.

use pulp::{Arch, Simd, WithSimd};

use crate::transfer::{PAIRS, Transfer};

/// Expectation values. Digit `q` of an index to the base 4 is the Pauli of qubit `q`.
pub(crate) struct Density {
    values: Vec<f64>,
    num_qubits: usize,
}

impl Density {
    /// All qubits in state 0.
    pub(crate) fn new(num_qubits: usize) -> Self {
        let mut values = vec![0.0; 1 << (2 * num_qubits)];
        for outcome in 0..1 << num_qubits {
            values[product_of_z(outcome)] = 1.0;
        }
        Self { values, num_qubits }
    }

    /// Applies a channel to two qubits, given in ascending order.
    pub(crate) fn apply(&mut self, qubits: [usize; 2], transfer: &Transfer) {
        Arch::new().dispatch(Application { values: &mut self.values, qubits, transfer });
    }

    /// The probability of each outcome: bit `q` is qubit `q`.
    pub(crate) fn probabilities(&self) -> Vec<f64> {
        let mut sums: Vec<f64> =
            (0..1 << self.num_qubits).map(|mask| self.values[product_of_z(mask)]).collect();
        // The Walsh–Hadamard transform: outcomes ↔ products of Z.
        for qubit in 0..self.num_qubits {
            for pair in sums.chunks_exact_mut(2 << qubit) {
                let (zeros, ones) = pair.split_at_mut(1 << qubit);
                for (zero, one) in zeros.iter_mut().zip(ones) {
                    (*zero, *one) = (f64::midpoint(*zero, *one), f64::midpoint(*zero, -*one));
                }
            }
        }
        for probability in &mut sums {
            *probability = probability.max(0.0); // rounding may leave −10⁻¹⁷
        }
        sums
    }
}

/// The index of Z on the qubits of a mask, and I on the others.
fn product_of_z(mask: usize) -> usize {
    let qubits = (0..usize::BITS - mask.leading_zeros()).filter(|qubit| mask >> qubit & 1 == 1);
    qubits.map(|qubit| 3 << (2 * qubit)).sum()
}

/// A channel on two qubits to be applied.
struct Application<'a> {
    values: &'a mut [f64],
    qubits: [usize; 2],
    transfer: &'a Transfer,
}

impl WithSimd for Application<'_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "only what is inlined gets the processor's vectors")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [low, high] = self.qubits.map(|qubit| 1_usize << (2 * qubit));
        let places: [usize; PAIRS] = std::array::from_fn(|pair| pair % 4 * low + pair / 4 * high);
        for outer in self.values.chunks_exact_mut(4 * high) {
            for middle in (0..high).step_by(4 * low) {
                for first in middle..middle + low {
                    let before = places.map(|place| outer[first + place]);
                    let mut after = [0.0; PAIRS];
                    for (index, sums) in S::as_mut_simd_f64s(&mut after).0.iter_mut().enumerate() {
                        let mut sum = *sums;
                        for (column, value) in self.transfer.0.iter().zip(before) {
                            let factors = S::as_simd_f64s(column).0[index];
                            sum = simd.mul_add_e_f64s(factors, simd.splat_f64s(value), sum);
                        }
                        *sums = sum;
                    }
                    for (place, value) in places.into_iter().zip(after) {
                        outer[first + place] = value;
                    }
                }
            }
        }
    }
}
