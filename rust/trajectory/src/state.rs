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

    /// Probabilities of all outcomes of a trajectory, added up from the first on.
    pub(crate) fn cumulated(&self, lane: usize, sums: &mut Vec<f64>) {
        sums.clear();
        let mut sum = 0.0;
        sums.extend(self.re.iter().zip(&self.im).map(|(re, im)| {
            sum += re[lane] * re[lane] + im[lane] * im[lane];
            sum
        }));
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

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let vectors = LANES / S::F64_LANES;
        let [low, high] = self.qubits.map(|qubit| vectors << qubit);
        let (re, _) = S::as_mut_simd_f64s(self.states.re.as_flattened_mut());
        let (im, _) = S::as_mut_simd_f64s(self.states.im.as_flattened_mut());
        let mut a = [[simd.splat_f64s(0.0); 4]; 4];
        let (mut b, mut c) = (a, a);
        for row in 0..4 {
            for column in 0..4 {
                a[row][column] = S::as_simd_f64s(&self.re[row][column]).0[0];
                b[row][column] = S::as_simd_f64s(&self.im[row][column]).0[0];
                c[row][column] = simd.neg_f64s(b[row][column]);
            }
        }
        let outer = re.chunks_exact_mut(2 * high).zip(im.chunks_exact_mut(2 * high));
        for (re, im) in outer {
            let (re_0, re_1) = re.split_at_mut(high);
            let (im_0, im_1) = im.split_at_mut(high);
            let inner = re_0
                .chunks_exact_mut(2 * low)
                .zip(re_1.chunks_exact_mut(2 * low))
                .zip(im_0.chunks_exact_mut(2 * low).zip(im_1.chunks_exact_mut(2 * low)));
            for ((re_0, re_1), (im_0, im_1)) in inner {
                let (re_00, re_01) = re_0.split_at_mut(low);
                let (re_10, re_11) = re_1.split_at_mut(low);
                let (im_00, im_01) = im_0.split_at_mut(low);
                let (im_10, im_11) = im_1.split_at_mut(low);
                let re = re_00.iter_mut().zip(re_01).zip(re_10.iter_mut().zip(re_11));
                let im = im_00.iter_mut().zip(im_01).zip(im_10.iter_mut().zip(im_11));
                for (((x0, x1), (x2, x3)), ((y0, y1), (y2, y3))) in re.zip(im) {
                    let x = [*x0, *x1, *x2, *x3];
                    let y = [*y0, *y1, *y2, *y3];
                    let mut sums = [(x[0], y[0]); 4];
                    for row in 0..4 {
                        let (a, b, c) = (&a[row], &b[row], &c[row]);
                        let mut re = simd.mul_f64s(a[0], x[0]);
                        let mut im = simd.mul_f64s(a[0], y[0]);
                        for k in 1..4 {
                            re = simd.mul_add_e_f64s(a[k], x[k], re);
                            im = simd.mul_add_e_f64s(a[k], y[k], im);
                        }
                        for k in 0..4 {
                            re = simd.mul_add_e_f64s(c[k], y[k], re);
                            im = simd.mul_add_e_f64s(b[k], x[k], im);
                        }
                        sums[row] = (re, im);
                    }
                    (*x0, *y0) = sums[0];
                    (*x1, *y1) = sums[1];
                    (*x2, *y2) = sums[2];
                    (*x3, *y3) = sums[3];
                }
            }
        }
    }
}
