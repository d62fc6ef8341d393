//! Eigenvectors of symmetric unitary 4 × 4 matrices.

use crate::complex::{Complex, Matrix, identity};

/// The determinant, by Laplace's expansion along pairs of rows.
pub(crate) fn determinant(matrix: &Matrix<4>) -> Complex {
    let minor = |rows: [usize; 2], columns: [usize; 2]| {
        matrix[rows[0]][columns[0]] * matrix[rows[1]][columns[1]]
            - matrix[rows[0]][columns[1]] * matrix[rows[1]][columns[0]]
    };
    let signs = [
        ([0, 1], [2, 3], 1.0),
        ([0, 2], [1, 3], -1.0),
        ([0, 3], [1, 2], 1.0),
        ([1, 2], [0, 3], 1.0),
        ([1, 3], [0, 2], -1.0),
        ([2, 3], [0, 1], 1.0),
    ];
    signs.into_iter().fold(Complex::ZERO, |sum, (upper, lower, sign)| {
        sum + Complex::new(sign, 0.0) * minor([0, 1], upper) * minor([2, 3], lower)
    })
}

/// The real orthogonal matrix of determinant 1 whose columns are the eigenvectors of a symmetric
/// unitary matrix: Jacobi's method for its real and imaginary part at once, which commute
/// (J.-F. Cardoso and A. Souloumiac, SIAM J. Matrix Anal. Appl. 17, 161, 1996).
pub(crate) fn eigenbasis(symmetric: &Matrix<4>) -> Matrix<4> {
    const SWEEPS: usize = 50;
    const DONE: f64 = 1e-30;
    let mut parts = [
        symmetric.map(|row| row.map(|entry| entry.re)),
        symmetric.map(|row| row.map(|entry| entry.im)),
    ];
    let mut vectors = identity::<4>().map(|row| row.map(|entry| entry.re));
    for _ in 0..SWEEPS {
        let mut remainder = 0.0;
        for p in 0..3 {
            for q in p + 1..4 {
                let [mut even, mut mixed, mut left] = [0.0; 3];
                for part in &parts {
                    let (difference, off) = (part[p][p] - part[q][q], 2.0 * part[p][q]);
                    even += difference * difference - off * off;
                    mixed += 2.0 * difference * off;
                    left += off * off;
                }
                remainder += left;
                if left < DONE {
                    continue;
                }
                let angle = mixed.atan2(even) / 4.0;
                let (sine, cosine) = angle.sin_cos();
                for part in &mut parts {
                    turn_columns(part, p, q, sine, cosine);
                    turn_rows(part, p, q, sine, cosine);
                }
                turn_columns(&mut vectors, p, q, sine, cosine);
            }
        }
        if remainder < DONE {
            break;
        }
    }
    let mut vectors = vectors.map(|row| row.map(|entry| Complex::new(entry, 0.0)));
    if determinant(&vectors).re < 0.0 {
        for row in &mut vectors {
            row[0] = Complex::ZERO - row[0];
        }
    }
    vectors
}

fn turn_columns(matrix: &mut [[f64; 4]; 4], p: usize, q: usize, sine: f64, cosine: f64) {
    for row in matrix {
        (row[p], row[q]) = (cosine * row[p] + sine * row[q], cosine * row[q] - sine * row[p]);
    }
}

fn turn_rows(matrix: &mut [[f64; 4]; 4], p: usize, q: usize, sine: f64, cosine: f64) {
    let (first, second) = (matrix[p], matrix[q]);
    matrix[p] = std::array::from_fn(|index| cosine * first[index] + sine * second[index]);
    matrix[q] = std::array::from_fn(|index| cosine * second[index] - sine * first[index]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::complex::{product, transpose};

    #[test]
    fn equal_diagonal_entries_are_no_trap() {
        let mut symmetric = identity::<4>();
        symmetric[0] = [Complex::ZERO, Complex::new(0.0, 1.0), Complex::ZERO, Complex::ZERO];
        symmetric[1] = [Complex::new(0.0, 1.0), Complex::ZERO, Complex::ZERO, Complex::ZERO];
        let vectors = eigenbasis(&symmetric);
        let diagonal = product(&transpose(&vectors), &product(&symmetric, &vectors));
        for (row, entries) in diagonal.iter().enumerate() {
            for (column, entry) in entries.iter().enumerate() {
                assert!(row == column || entry.norm() < 1e-28, "{diagonal:?}");
            }
        }
    }
}
