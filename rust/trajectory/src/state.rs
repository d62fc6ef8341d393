//! State vectors of a few trajectories side by side.

use pulp::{Arch, Simd, WithSimd};

use crate::matrix::Matrix;

/// Trajectories side by side.
pub(crate) const LANES: usize = 4;

/// A number for each trajectory.
pub(crate) type Lanes = [f64; LANES];

/// Amplitudes of some trajectories. Bit `q` of an index is qubit `q`.
#[derive(Clone)]
pub(crate) struct States {
    re: Vec<Lanes>,
    im: Vec<Lanes>,
}

impl States {
    /// All qubits of all trajectories in state 0.
    pub(crate) fn new(num_qubits: usize) -> Self {
        let mut re = vec![[0.0; LANES]; 1 << num_qubits];
        re[0] = [1.0; LANES];
        Self { re, im: vec![[0.0; LANES]; 1 << num_qubits] }
    }

    /// Takes the amplitudes of another one of the same size.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.re.copy_from_slice(&other.re);
        self.im.copy_from_slice(&other.im);
    }

    /// Applies a matrix on two qubits, given in ascending order, to all trajectories.
    pub(crate) fn apply(&mut self, qubits: [usize; 2], matrix: &Matrix<4>) {
        let re = matrix.0.map(|row| row.map(|entry| [entry.re; LANES]));
        let im = matrix.0.map(|row| row.map(|entry| [entry.im; LANES]));
        Arch::new().dispatch(Application { states: self, qubits, re, im });
    }

    /// Applies a matrix of its own to each trajectory.
    pub(crate) fn apply_each(&mut self, qubits: [usize; 2], matrices: &[Matrix<4>; LANES]) {
        let part = |part: fn(&Matrix<4>, usize, usize) -> f64| {
            std::array::from_fn(|row| {
                std::array::from_fn(|column| {
                    std::array::from_fn(|lane| part(&matrices[lane], row, column))
                })
            })
        };
        let re = part(|matrix, row, column| matrix.0[row][column].re);
        let im = part(|matrix, row, column| matrix.0[row][column].im);
        Arch::new().dispatch(Application { states: self, qubits, re, im });
    }

    /// The probability of state 1 of a qubit in a trajectory.
    pub(crate) fn probability_of_one(&self, qubit: usize, lane: usize) -> f64 {
        let mut sums = [0.0; 2];
        for (index, (re, im)) in self.re.iter().zip(&self.im).enumerate() {
            sums[index >> qubit & 1] += re[lane] * re[lane] + im[lane] * im[lane];
        }
        sums[1] / (sums[0] + sums[1])
    }

    /// Puts a qubit of a trajectory into state 0 after it was found in a state of that probability.
    pub(crate) fn reset(&mut self, qubit: usize, lane: usize, found: bool, probability: f64) {
        let scale = 1.0 / probability.sqrt();
        let size = 1 << qubit;
        for amplitudes in [&mut self.re, &mut self.im] {
            for pair in amplitudes.chunks_exact_mut(2 * size) {
                let (zeros, ones) = pair.split_at_mut(size);
                for (zero, one) in zeros.iter_mut().zip(ones) {
                    let kept = if found { one[lane] } else { zero[lane] };
                    zero[lane] = kept * scale;
                    one[lane] = 0.0;
                }
            }
        }
    }

    /// The probability of each outcome of a trajectory.
    pub(crate) fn probabilities(&self, lane: usize) -> Vec<f64> {
        let amplitudes = self.re.iter().zip(&self.im);
        amplitudes.map(|(re, im)| re[lane] * re[lane] + im[lane] * im[lane]).collect()
    }
}

/// A matrix on two qubits to be applied to each trajectory.
struct Application<'a> {
    states: &'a mut States,
    qubits: [usize; 2],
    re: [[Lanes; 4]; 4],
    im: [[Lanes; 4]; 4],
}

impl WithSimd for Application<'_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "only what is inlined gets the processor's vectors")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [low, high] = self.qubits.map(|qubit| (LANES / S::F64_LANES) << qubit);
        let (re, _) = S::as_mut_simd_f64s(self.states.re.as_flattened_mut());
        let (im, _) = S::as_mut_simd_f64s(self.states.im.as_flattened_mut());
        for lanes in 0..LANES / S::F64_LANES {
            let matrix = Vectors::new(simd, &self.re, &self.im, lanes);
            let pairs = re.chunks_exact_mut(2 * high).zip(im.chunks_exact_mut(2 * high));
            for (re, im) in pairs {
                for (re, im) in quarters(re, low).zip(quarters(im, low)) {
                    for index in (lanes..low).step_by(LANES / S::F64_LANES) {
                        let mut x = [re[0][index], re[1][index], re[2][index], re[3][index]];
                        let mut y = [im[0][index], im[1][index], im[2][index], im[3][index]];
                        matrix.apply(simd, &mut x, &mut y);
                        [re[0][index], re[1][index], re[2][index], re[3][index]] = x;
                        [im[0][index], im[1][index], im[2][index], im[3][index]] = y;
                    }
                }
            }
        }
    }
}

/// Cuts amplitudes where qubits change: the parts whose states of the higher and of the lower qubit
/// are 00, 01, 10 and 11, of `low` numbers each, again and again.
#[expect(clippy::inline_always, reason = "as its caller")]
#[inline(always)]
fn quarters<T>(amplitudes: &mut [T], low: usize) -> impl Iterator<Item = [&mut [T]; 4]> {
    let (zero, one) = amplitudes.split_at_mut(amplitudes.len() / 2);
    zero.chunks_exact_mut(2 * low).zip(one.chunks_exact_mut(2 * low)).map(move |(zero, one)| {
        let ((first, second), (third, fourth)) = (zero.split_at_mut(low), one.split_at_mut(low));
        [first, &mut second[..low], third, &mut fourth[..low]]
    })
}

/// Entries of matrices of neighbouring trajectories, row by row.
struct Vectors<S: Simd> {
    re: [[S::f64s; 4]; 4],
    im: [[S::f64s; 4]; 4],
    /// `im` with the other sign.
    negative: [[S::f64s; 4]; 4],
}

impl<S: Simd> Vectors<S> {
    #[expect(clippy::inline_always, reason = "as its caller")]
    #[inline(always)]
    fn new(simd: S, re: &[[Lanes; 4]; 4], im: &[[Lanes; 4]; 4], lanes: usize) -> Self {
        let mut made = [[[simd.splat_f64s(0.0); 4]; 4]; 3];
        for row in 0..4 {
            for column in 0..4 {
                made[0][row][column] = S::as_simd_f64s(&re[row][column]).0[lanes];
                made[1][row][column] = S::as_simd_f64s(&im[row][column]).0[lanes];
                made[2][row][column] = simd.neg_f64s(made[1][row][column]);
            }
        }
        let [re, im, negative] = made;
        Self { re, im, negative }
    }

    /// Multiplies the matrices by real and imaginary parts.
    #[expect(clippy::inline_always, reason = "as its caller")]
    #[inline(always)]
    fn apply(&self, simd: S, re: &mut [S::f64s; 4], im: &mut [S::f64s; 4]) {
        let zero = simd.splat_f64s(0.0);
        let (x, y) = (*re, *im);
        for row in 0..4 {
            re[row] = add(simd, add(simd, zero, self.re[row], x), self.negative[row], y);
            im[row] = add(simd, add(simd, zero, self.re[row], y), self.im[row], x);
        }
    }
}

/// Adds products to a sum.
#[expect(clippy::inline_always, reason = "as its caller")]
#[inline(always)]
fn add<S: Simd>(simd: S, sum: S::f64s, factors: [S::f64s; 4], values: [S::f64s; 4]) -> S::f64s {
    let mut sum = sum;
    for (factor, value) in factors.into_iter().zip(values) {
        sum = simd.mul_add_e_f64s(factor, value, sum);
    }
    sum
}
