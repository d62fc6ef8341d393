//! Any two-qubit unitary as single-qubit rotations and the least number of RXX.
//!
//! In the magic basis the elements of SU(2)⊗SU(2) are real, and exp(i(aXX + bYY + cZZ)) is diagonal
//! (B. Kraus and J. I. Cirac, Phys. Rev. A 63, 062309, 2001). Each of a, b and c that is no multiple
//! of π/2 costs one RXX of any angle, and no other decomposition needs fewer.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, FRAC_PI_4};

use crate::{
    complex::{Complex, Matrix, SWAP, adjoint, matrix_of, product, rotation_of, transpose},
    eigenbasis::{determinant, eigenbasis},
    gates::{Axis, GateSink, rotate_pair},
    rotation::Rotation,
};

/// Coordinates that are closer than this to a multiple of π/2 cost nothing.
const NEGLIGIBLE: f64 = 1e-10;

const ZERO: Complex = Complex::ZERO;
const HALF: Complex = Complex::new(FRAC_1_SQRT_2, 0.0);
const HALF_I: Complex = Complex::new(0.0, FRAC_1_SQRT_2);
const MINUS_HALF: Complex = Complex::new(-FRAC_1_SQRT_2, 0.0);
const MINUS_HALF_I: Complex = Complex::new(0.0, -FRAC_1_SQRT_2);

/// The magic basis in columns: Φ⁺, iΦ⁻, iΨ⁺, Ψ⁻.
const MAGIC: Matrix<4> = [
    [HALF, HALF_I, ZERO, ZERO],
    [ZERO, ZERO, HALF_I, HALF],
    [ZERO, ZERO, HALF_I, MINUS_HALF],
    [HALF, MINUS_HALF_I, ZERO, ZERO],
];

/// exp(i·phase)·(after⊗after)·exp(i(aXX + bYY + cZZ))·(before⊗before).
#[derive(Clone, Copy, Debug)]
pub struct Weyl {
    phase: f64,
    before: [Rotation; 2],
    /// a, b and c, each in [−π/4, π/4].
    coordinates: [f64; 3],
    after: [Rotation; 2],
}

impl Weyl {
    /// Decomposes a unitary; the first qubit is the higher bit of the indices.
    #[must_use]
    pub fn new(unitary: &Matrix<4>) -> Self {
        let inner = product(&adjoint(&MAGIC), &product(unitary, &MAGIC));
        let phase = determinant(&inner).argument() / 4.0;
        let back = Complex::turn(-phase);
        let inner = inner.map(|row| row.map(|entry| back * entry));
        let eigenvectors = eigenbasis(&product(&transpose(&inner), &inner));
        let image = product(&inner, &eigenvectors);
        let squares = product(&transpose(&image), &image);
        let mut angles: [f64; 4] =
            std::array::from_fn(|index| squares[index][index].argument() / 2.0);
        let mut left = without(&image, angles);
        if determinant(&left).re < 0.0 {
            // The other root of one eigenvalue.
            angles[0] += std::f64::consts::PI;
            left = without(&image, angles);
        }
        let [one, two, three, four] = angles;
        let mut weyl = Self {
            phase: phase + (one + two + three + four) / 4.0,
            before: [Rotation::IDENTITY; 2],
            coordinates: [
                (one - two + three - four) / 4.0,
                (-one + two + three - four) / 4.0,
                (one + two - three - four) / 4.0,
            ],
            after: [Rotation::IDENTITY; 2],
        };
        let outside = |local: &Matrix<4>| product(&MAGIC, &product(local, &adjoint(&MAGIC)));
        let (after, phase_after) = factors(&outside(&left));
        let (before, phase_before) = factors(&outside(&transpose(&eigenvectors)));
        weyl.after = after;
        weyl.before = before;
        weyl.phase += phase_after + phase_before;
        weyl.reduce();
        weyl
    }

    /// Brings the coordinates into [−π/4, π/4]: exp(iπ/2·XX) = i·X⊗X, and X = i·R(π, 0).
    fn reduce(&mut self) {
        let paulis = [Axis::X, Axis::Y, Axis::Z].map(Axis::half_turn);
        for (coordinate, pauli) in self.coordinates.iter_mut().zip(paulis) {
            let turns = (*coordinate / FRAC_PI_2).round();
            *coordinate -= turns * FRAC_PI_2;
            self.phase += turns * FRAC_PI_2;
            let odd = turns.rem_euclid(2.0) > 0.5;
            if odd {
                // P⊗P = −(half turn)⊗(half turn).
                self.phase += std::f64::consts::PI;
                self.before = self.before.map(|rotation| pauli.after(rotation));
            }
        }
    }

    /// Number of RXX that it takes.
    #[must_use]
    pub fn num_interactions(&self) -> usize {
        self.coordinates.iter().filter(|coordinate| coordinate.abs() > NEGLIGIBLE).count()
    }

    /// Number of RXX that it takes after SWAP, which adds π/4 to all coordinates.
    #[must_use]
    pub fn num_interactions_swapped(&self) -> usize {
        let far = |coordinate: &&f64| (coordinate.abs() - FRAC_PI_4).abs() > NEGLIGIBLE;
        self.coordinates.iter().filter(far).count()
    }

    /// Decomposes it into `sink`.
    pub fn emit(&self, [first, second]: [u32; 2], sink: &mut impl GateSink) {
        sink.phase(self.phase);
        for (qubit, rotation) in [first, second].into_iter().zip(self.before) {
            sink.rotate(qubit, rotation);
        }
        for (coordinate, axis) in self.coordinates.into_iter().zip([Axis::X, Axis::Y, Axis::Z]) {
            if coordinate.abs() > NEGLIGIBLE {
                rotate_pair([first, second], [axis, axis], -2.0 * coordinate, sink);
            }
        }
        for (qubit, rotation) in [first, second].into_iter().zip(self.after) {
            sink.rotate(qubit, rotation);
        }
    }
}

/// Decomposes `unitary` into `sink`, with a relabelling where that saves an RXX.
pub fn emit_unitary(unitary: &Matrix<4>, qubits: [u32; 2], sink: &mut impl GateSink) {
    let direct = Weyl::new(unitary);
    if direct.num_interactions_swapped() < direct.num_interactions() && sink.relabel(qubits) {
        // On the exchanged wires, U·SWAP is U followed by the exchange.
        let [first, second] = qubits;
        Weyl::new(&product(unitary, &SWAP)).emit([first, second], sink);
    } else {
        direct.emit(qubits, sink);
    }
}

/// `image` with the columns multiplied by exp(−i·angles).
fn without(image: &Matrix<4>, angles: [f64; 4]) -> Matrix<4> {
    let back = angles.map(|angle| Complex::turn(-angle));
    image.map(|row| std::array::from_fn(|column| row[column] * back[column]))
}

/// The rotations and the phase α with `local` = exp(iα)·first⊗second.
fn factors(local: &Matrix<4>) -> ([Rotation; 2], f64) {
    // The larger of the blocks in the first row is a multiple of the second factor.
    let block = |column: usize| -> Matrix<2> {
        std::array::from_fn(|row| std::array::from_fn(|entry| local[row][2 * column + entry]))
    };
    let size = |matrix: &Matrix<2>| matrix.iter().flatten().map(|entry| entry.norm()).sum::<f64>();
    let [near, far] = [block(0), block(1)];
    let (second, _) = rotation_of(if size(&near) >= size(&far) { &near } else { &far });
    let inverse = adjoint(&matrix_of(second));
    let first: Matrix<2> = std::array::from_fn(|row| {
        std::array::from_fn(|column| {
            // Half the trace of block·inverse.
            let mut sum = ZERO;
            for k in 0..2 {
                for l in 0..2 {
                    sum = sum + local[2 * row + k][2 * column + l] * inverse[l][k];
                }
            }
            sum * Complex::new(0.5, 0.0)
        })
    });
    let (first, phase) = rotation_of(&first);
    ([first, second], phase)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::{
        complex::{identity, pair_matrix, rxx_matrix},
        gates::{Gate, OneQubitGate, Variant},
    };

    /// Multiplies the matrices of its gates, on qubits 0 (the higher bit) and 1.
    struct Product {
        matrix: Matrix<4>,
        interactions: usize,
        may_relabel: bool,
    }

    impl Product {
        fn new(may_relabel: bool) -> Self {
            Self { matrix: identity(), interactions: 0, may_relabel }
        }

        fn apply(&mut self, gate: &Matrix<4>) {
            self.matrix = product(gate, &self.matrix);
        }

        fn assert_is(&self, expected: &Matrix<4>) {
            for (row, expected) in self.matrix.iter().zip(expected) {
                for (entry, expected) in row.iter().zip(expected) {
                    assert!((*entry - *expected).norm() < 1e-20, "{:?}", self.matrix);
                }
            }
        }
    }

    impl GateSink for Product {
        fn variant(&self) -> Variant {
            Variant::default()
        }

        fn phase(&mut self, alpha: f64) {
            let factor = Complex::turn(alpha);
            self.matrix = self.matrix.map(|row| row.map(|entry| factor * entry));
        }

        fn rotate(&mut self, qubit: u32, gate: impl Into<OneQubitGate>) {
            let rotation = gate.into().rotation();
            let mut pair = [Rotation::IDENTITY; 2];
            pair[qubit as usize] = rotation;
            self.apply(&pair_matrix(pair[0], pair[1]));
        }

        fn rxx(&mut self, _: [u32; 2], theta: f64) {
            self.interactions += 1;
            self.apply(&rxx_matrix(theta));
        }

        fn relabel(&mut self, _: [u32; 2]) -> bool {
            if self.may_relabel {
                self.apply(&SWAP);
            }
            self.may_relabel
        }
    }

    fn unitary(gates: &[(&[u8], &[f64])]) -> Matrix<4> {
        let mut sink = Product::new(false);
        for (name, params) in gates {
            let single = Gate::standard(name, 1, params);
            let gate = single.or_else(|| Gate::standard(name, 2, params)).unwrap();
            gate.emit(&[0, 1], &mut sink);
            if single.is_some() {
                gate.emit(&[1], &mut sink);
            }
        }
        sink.matrix
    }

    #[test]
    fn cx_is_cx() {
        let mut expected = identity::<4>();
        expected.swap(2, 3);
        let mut sink = Product::new(false);
        Gate::standard(b"cx", 2, &[]).unwrap().emit(&[0, 1], &mut sink);
        sink.assert_is(&expected);
    }

    #[test]
    fn the_fewest_interactions() {
        type Gates<'a> = &'a [(&'a [u8], &'a [f64])];
        let cases: [(Gates<'_>, usize, usize); 8] = [
            (&[(b"h", &[])], 0, 0),
            (&[(b"swap", &[])], 3, 0),
            (&[(b"iswap", &[])], 2, 1),
            (&[(b"cp", &[0.3]), (b"t", &[]), (b"cz", &[])], 1, 1),
            (&[(b"xx_plus_yy", &[0.3, 0.2])], 2, 2),
            (&[(b"cx", &[]), (b"u", &[0.3, 1.2, 2.1]), (b"ecr", &[])], 2, 2),
            (&[(b"swap", &[]), (b"crx", &[0.4])], 3, 1),
            (&[(b"cx", &[]), (b"s", &[]), (b"xx_plus_yy", &[0.621, 5.0 * PI / 4.0])], 2, 2),
        ];
        for (gates, fewest, relabelled) in cases {
            let expected = unitary(gates);
            for (may_relabel, interactions) in [(false, fewest), (true, relabelled)] {
                let mut sink = Product::new(may_relabel);
                emit_unitary(&expected, [0, 1], &mut sink);
                sink.assert_is(&expected);
                assert_eq!(sink.interactions, interactions, "{gates:?}");
            }
        }
    }

    #[test]
    fn any_unitary() {
        let mut state = 1_u32;
        let mut angle = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Every other one from few values, so that eigenvalues coincide.
            let value = f64::from(state >> 8) / f64::from(1 << 24) * 12.0;
            if state & 0x4000_0000 == 0 { value.round() * PI / 4.0 } else { value }
        };
        for _ in 0..2000 {
            let mut sink = Product::new(false);
            for _ in 0..3 {
                sink.rotate(0, Rotation::u(angle(), angle(), angle()));
                sink.rotate(1, Rotation::u(angle(), angle(), angle()));
                sink.rxx([0, 1], angle());
            }
            sink.phase(angle());
            let expected = sink.matrix;
            for may_relabel in [false, true] {
                let mut sink = Product::new(may_relabel);
                emit_unitary(&expected, [0, 1], &mut sink);
                sink.assert_is(&expected);
                assert!(sink.interactions <= 3);
            }
        }
    }
}
