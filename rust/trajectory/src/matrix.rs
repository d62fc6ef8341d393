//! Complex matrices on one and two qubits.
//!
//! Bit `i` of a row or column is the state of qubit `i`, as in Qiskit.

use std::ops::{Add, Mul};

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Complex {
    /// The real part.
    pub re: f64,
    /// The imaginary part.
    pub im: f64,
}

impl Complex {
    /// 0.
    pub const ZERO: Self = Self::new(0.0, 0.0);
    /// 1.
    pub const ONE: Self = Self::new(1.0, 0.0);

    /// `re` + i `im`.
    #[must_use]
    pub const fn new(re: f64, im: f64) -> Self {
        Self { re, im }
    }
}

impl Add for Complex {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.re + other.re, self.im + other.im)
    }
}

impl Mul for Complex {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self::new(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)
    }
}

/// A square matrix with `N` rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matrix<const N: usize>(pub [[Complex; N]; N]);

impl<const N: usize> Matrix<N> {
    /// The matrix that changes nothing.
    #[must_use]
    pub fn identity() -> Self {
        let mut entries = [[Complex::ZERO; N]; N];
        for (row, entry) in entries.iter_mut().enumerate() {
            entry[row] = Complex::ONE;
        }
        Self(entries)
    }

    /// A matrix from its entries, row by row. Returns `None` if there are not `N` × `N`.
    #[must_use]
    pub fn from_rows(rows: &[Complex]) -> Option<Self> {
        if rows.len() != N * N {
            return None;
        }
        let mut entries = [[Complex::ZERO; N]; N];
        for (row, source) in entries.iter_mut().zip(rows.chunks_exact(N)) {
            row.copy_from_slice(source);
        }
        Some(Self(entries))
    }

    /// This matrix after `first`: their product.
    #[must_use]
    pub fn after(&self, first: &Self) -> Self {
        let mut entries = [[Complex::ZERO; N]; N];
        for (row, factors) in entries.iter_mut().zip(&self.0) {
            for (&factor, source) in factors.iter().zip(&first.0) {
                for (entry, &value) in row.iter_mut().zip(source) {
                    *entry = *entry + factor * value;
                }
            }
        }
        Self(entries)
    }

    /// The conjugate transpose: of a unitary matrix, its inverse.
    #[must_use]
    pub fn adjoint(&self) -> Self {
        let mut entries = [[Complex::ZERO; N]; N];
        for (row, entry) in entries.iter_mut().enumerate() {
            for (value, source) in entry.iter_mut().zip(&self.0) {
                *value = Complex::new(source[row].re, -source[row].im);
            }
        }
        Self(entries)
    }

    /// The largest modulus of an entry of U†U − 1, squared.
    #[must_use]
    pub fn distance_from_unitary(&self) -> f64 {
        let mut largest = 0.0_f64;
        for column in 0..N {
            for other in 0..N {
                let mut sum = Complex::new(if column == other { -1.0 } else { 0.0 }, 0.0);
                for row in &self.0 {
                    let left = Complex::new(row[column].re, -row[column].im);
                    sum = sum + left * row[other];
                }
                largest = largest.max(sum.re * sum.re + sum.im * sum.im);
            }
        }
        largest
    }
}

impl Matrix<2> {
    /// Pauli's X.
    pub const X: Self = Self([[Complex::ZERO, Complex::ONE], [Complex::ONE, Complex::ZERO]]);

    /// Pauli's Y.
    pub const Y: Self =
        Self([[Complex::ZERO, Complex::new(0.0, -1.0)], [Complex::new(0.0, 1.0), Complex::ZERO]]);

    /// Pauli's Z.
    pub const Z: Self =
        Self([[Complex::ONE, Complex::ZERO], [Complex::ZERO, Complex::new(-1.0, 0.0)]]);

    /// exp(−i φ/2 Z), φ in radians.
    #[must_use]
    pub fn rz(phi: f64) -> Self {
        let (sine, cosine) = (phi / 2.0).sin_cos();
        Self([
            [Complex::new(cosine, -sine), Complex::ZERO],
            [Complex::ZERO, Complex::new(cosine, sine)],
        ])
    }

    /// exp(−i θ/2 (cos φ X + sin φ Y)), angles in radians.
    #[must_use]
    pub fn r(theta: f64, phi: f64) -> Self {
        let (sine, cosine) = (theta / 2.0).sin_cos();
        let (sine_phi, cosine_phi) = phi.sin_cos();
        let diagonal = Complex::new(cosine, 0.0);
        Self([
            [diagonal, Complex::new(-sine * sine_phi, -sine * cosine_phi)],
            [Complex::new(sine * sine_phi, -sine * cosine_phi), diagonal],
        ])
    }

    /// The matrix on two qubits that acts on qubit `place`, 0 or 1.
    #[must_use]
    pub fn on(&self, place: usize) -> Matrix<4> {
        let mut entries = [[Complex::ZERO; 4]; 4];
        for (row, entry) in entries.iter_mut().enumerate() {
            let idle = row & !(1 << place);
            for bit in 0..2 {
                let column = idle & !(1 << place) | bit << place;
                entry[column] = self.0[row >> place & 1][bit];
            }
        }
        Matrix(entries)
    }
}

impl Matrix<4> {
    /// exp(−i θ/2 X⊗X), θ in radians.
    #[must_use]
    pub fn rxx(theta: f64) -> Self {
        let (sine, cosine) = (theta / 2.0).sin_cos();
        let mut entries = [[Complex::ZERO; 4]; 4];
        for (row, entry) in entries.iter_mut().enumerate() {
            entry[row] = Complex::new(cosine, 0.0);
            entry[3 - row] = Complex::new(0.0, -sine);
        }
        Self(entries)
    }

    /// The matrix with both qubits exchanged.
    #[must_use]
    pub fn exchanged(&self) -> Self {
        let exchanged = |index: usize| [0, 2, 1, 3][index];
        let mut entries = [[Complex::ZERO; 4]; 4];
        for (row, entry) in entries.iter_mut().enumerate() {
            for (column, value) in entry.iter_mut().enumerate() {
                *value = self.0[exchanged(row)][exchanged(column)];
            }
        }
        Self(entries)
    }
}
