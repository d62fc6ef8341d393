//! Complex numbers and small unitary matrices.

use std::ops::{Add, Mul, Sub};

use crate::rotation::Rotation;

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

impl Complex {
    /// 0.
    pub const ZERO: Self = Self::new(0.0, 0.0);
    /// 1.
    pub const ONE: Self = Self::new(1.0, 0.0);

    /// `re` + i·`im`.
    #[must_use]
    pub const fn new(re: f64, im: f64) -> Self {
        Self { re, im }
    }

    /// exp(i·`angle`), `angle` in radians.
    #[must_use]
    pub fn turn(angle: f64) -> Self {
        let (im, re) = angle.sin_cos();
        Self { re, im }
    }

    /// The complex conjugate.
    #[must_use]
    pub fn conjugate(self) -> Self {
        Self::new(self.re, -self.im)
    }

    /// |z|².
    #[must_use]
    pub fn norm(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    /// The argument, in (−π, π].
    #[must_use]
    pub fn argument(self) -> f64 {
        self.im.atan2(self.re)
    }
}

impl Add for Complex {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.re + other.re, self.im + other.im)
    }
}

impl Sub for Complex {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::new(self.re - other.re, self.im - other.im)
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::new(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)
    }
}

/// A square matrix, row by row.
pub type Matrix<const N: usize> = [[Complex; N]; N];

/// SWAP.
pub(crate) const SWAP: Matrix<4> = [
    [Complex::ONE, Complex::ZERO, Complex::ZERO, Complex::ZERO],
    [Complex::ZERO, Complex::ZERO, Complex::ONE, Complex::ZERO],
    [Complex::ZERO, Complex::ONE, Complex::ZERO, Complex::ZERO],
    [Complex::ZERO, Complex::ZERO, Complex::ZERO, Complex::ONE],
];

/// The identity.
#[must_use]
pub fn identity<const N: usize>() -> Matrix<N> {
    let mut matrix = [[Complex::ZERO; N]; N];
    for (index, row) in matrix.iter_mut().enumerate() {
        row[index] = Complex::ONE;
    }
    matrix
}

/// `left`·`right`.
#[must_use]
pub fn product<const N: usize>(left: &Matrix<N>, right: &Matrix<N>) -> Matrix<N> {
    let mut matrix = [[Complex::ZERO; N]; N];
    for (row, factors) in matrix.iter_mut().zip(left) {
        for (column, entry) in row.iter_mut().enumerate() {
            for (factor, line) in factors.iter().zip(right) {
                *entry = *entry + *factor * line[column];
            }
        }
    }
    matrix
}

/// The transpose.
#[must_use]
pub fn transpose<const N: usize>(matrix: &Matrix<N>) -> Matrix<N> {
    std::array::from_fn(|row| std::array::from_fn(|column| matrix[column][row]))
}

/// The Hermitian adjoint.
#[must_use]
pub fn adjoint<const N: usize>(matrix: &Matrix<N>) -> Matrix<N> {
    transpose(&matrix.map(|row| row.map(Complex::conjugate)))
}

/// `left`⊗`right`: the bit of `left` is the higher one.
#[must_use]
pub fn tensor(left: &Matrix<2>, right: &Matrix<2>) -> Matrix<4> {
    std::array::from_fn(|row| {
        std::array::from_fn(|column| left[row / 2][column / 2] * right[row % 2][column % 2])
    })
}

/// The matrix of a rotation.
#[must_use]
pub fn matrix_of(Rotation { w, x, y, z }: Rotation) -> Matrix<2> {
    [[Complex::new(w, -z), Complex::new(-y, -x)], [Complex::new(y, -x), Complex::new(w, z)]]
}

/// The rotation and the phase α with `unitary` = exp(iα)·rotation.
#[must_use]
pub fn rotation_of(unitary: &Matrix<2>) -> (Rotation, f64) {
    let [[first, second], [third, fourth]] = *unitary;
    let phase = (first * fourth - second * third).argument() / 2.0;
    let back = Complex::turn(-phase);
    let (a, b) = (back * first, back * third);
    // A user's matrix may be unitary to a few digits only.
    let size = (a.norm() + b.norm()).sqrt();
    let rotation = Rotation { w: a.re / size, x: -b.im / size, y: b.re / size, z: -a.im / size };
    (rotation, phase)
}

/// RXX(θ), θ in radians.
#[must_use]
pub(crate) fn rxx_matrix(theta: f64) -> Matrix<4> {
    let (sine, cosine) = (theta / 2.0).sin_cos();
    let mut matrix = [[Complex::ZERO; 4]; 4];
    for (index, row) in matrix.iter_mut().enumerate() {
        row[index] = Complex::new(cosine, 0.0);
        row[3 - index] = Complex::new(0.0, -sine);
    }
    matrix
}

/// first⊗second: the qubit of `first` is the higher bit of the indices.
#[must_use]
pub(crate) fn pair_matrix(first: Rotation, second: Rotation) -> Matrix<4> {
    tensor(&matrix_of(first), &matrix_of(second))
}
