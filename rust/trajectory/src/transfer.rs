//! Pauli transfer matrices: what channels on two qubits do to the expectation values of Paulis.
//!
//! Entry (i, j) of a channel E is tr(Pᵢ E(Pⱼ))/4, where digit `q` of `i` to the base 4 is the Pauli
//! of qubit `q`: I, X, Y or Z (Greenbaum, arXiv:1509.02921, section 2.3.3).

use crate::matrix::{Complex, Matrix};

/// Pairs of Paulis.
pub(crate) const PAIRS: usize = 16;

/// A transfer matrix, column by column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transfer(pub(crate) [[f64; PAIRS]; PAIRS]);

impl Transfer {
    pub(crate) fn zero() -> Self {
        Self([[0.0; PAIRS]; PAIRS])
    }

    pub(crate) fn identity() -> Self {
        let mut columns = Self::zero();
        for (index, column) in columns.0.iter_mut().enumerate() {
            column[index] = 1.0;
        }
        columns
    }

    /// The transfer matrix of ρ → `UρU†`.
    pub(crate) fn of(matrix: &Matrix<4>) -> Self {
        let adjoint = matrix.adjoint();
        let mut columns = Self::zero();
        for (pair, column) in columns.0.iter_mut().enumerate() {
            let mut moved = Matrix([[Complex::ZERO; 4]; 4]);
            for row in 0..4 {
                let (other, phase) = pauli(pair, row);
                for (target, source) in moved.0.iter_mut().zip(&matrix.0) {
                    target[other] = source[row] * phase;
                }
            }
            let image = moved.after(&adjoint);
            for (other, entry) in column.iter_mut().enumerate() {
                *entry = expectation(other, &image) / 4.0;
            }
        }
        columns
    }

    /// The transfer matrix of a reset of the qubit at `place`.
    pub(crate) fn of_reset(place: usize) -> Self {
        let mut columns = Self::zero();
        for (pair, column) in columns.0.iter_mut().enumerate() {
            if digit(pair, place) == 0 {
                column[pair] = 1.0;
                column[pair | 3 << (2 * place)] = 1.0;
            }
        }
        columns
    }

    /// This channel after `first`.
    pub(crate) fn after(&self, first: &Self) -> Self {
        let mut columns = Self::zero();
        for (column, factors) in columns.0.iter_mut().zip(&first.0) {
            for (&factor, source) in factors.iter().zip(&self.0) {
                if factor != 0.0 {
                    add(column, factor, source);
                }
            }
        }
        columns
    }

    /// Adds another channel with a probability.
    pub(crate) fn add(&mut self, probability: f64, other: &Self) {
        for (column, source) in self.0.iter_mut().zip(&other.0) {
            add(column, probability, source);
        }
    }
}

fn add(sums: &mut [f64; PAIRS], factor: f64, values: &[f64; PAIRS]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

fn digit(pair: usize, place: usize) -> usize {
    pair >> (2 * place) & 3
}

/// The one entry of a row of a pair of Paulis that is not 0: its column and its value.
fn pauli(pair: usize, row: usize) -> (usize, Complex) {
    let (mut column, mut phase) = (row, Complex::ONE);
    for place in 0..2 {
        let sign = if row >> place & 1 == 1 { -1.0 } else { 1.0 };
        let (flip, factor) = match digit(pair, place) {
            0 => (0, Complex::ONE),
            1 => (1, Complex::ONE),
            2 => (1, Complex::new(0.0, -sign)),
            _ => (0, Complex::new(sign, 0.0)),
        };
        column ^= flip << place;
        phase = phase * factor;
    }
    (column, phase)
}

/// tr(Pρ), whose imaginary part is 0 for Hermitian ρ.
fn expectation(pair: usize, matrix: &Matrix<4>) -> f64 {
    (0..4)
        .map(|row| {
            let (column, phase) = pauli(pair, row);
            (phase * matrix.0[column][row]).re
        })
        .sum()
}
