//! The planner of the estimator, on arrays as bytes.
//!
//! Arrays come as C-contiguous little-endian `bytes`, and go as `bytearray`. Long work lets other
//! threads run: `bytes` cannot change meanwhile.

use aqt_estimate::{Commutation, Expectations, Gate, Observables, Rows, Terms};
use pyo3::{prelude::*, types::PyByteArray};

use crate::detached::detached;
use crate::error_texts;

/// Entries of observables: starts (int64), terms (int64), coefficients (float64).
type Entries<'bytes> = (&'bytes [u8], &'bytes [u8], &'bytes [u8]);

/// Name and qubits of each gate, masks (uint64), and signs (1 or −1).
type PyBasis<'py> = (Vec<(&'static str, Vec<usize>)>, Bound<'py, PyByteArray>, Vec<i8>);

/// Three arrays of numbers.
type PyExpectations<'py> =
    (Bound<'py, PyByteArray>, Bound<'py, PyByteArray>, Bound<'py, PyByteArray>);

/// Groups of terms that are measured together.
#[pyfunction]
#[pyo3(signature = (x, z, weights, *, words, qubit_wise))]
pub fn group_terms(
    py: Python<'_>,
    x: &[u8],
    z: &[u8],
    weights: &[u8],
    words: usize,
    qubit_wise: bool,
) -> PyResult<Vec<Vec<usize>>> {
    let terms = terms(words, x, z)?;
    let weights = floats(weights)?;
    if weights.len() != terms.len() {
        return Err(error_texts::arrays_do_not_fit());
    }
    let commutation = if qubit_wise { Commutation::QubitWise } else { Commutation::General };
    Ok(detached(py, || aqt_estimate::group(&terms, &weights, commutation)))
}

/// A circuit that diagonalises commuting terms.
#[pyfunction]
#[pyo3(signature = (x, z, *, words))]
pub fn diagonalise<'py>(
    py: Python<'py>,
    x: &[u8],
    z: &[u8],
    words: usize,
) -> PyResult<PyBasis<'py>> {
    let terms = terms(words, x, z)?;
    let basis = detached(py, || aqt_estimate::diagonalise(&terms))
        .map_err(|pair| error_texts::not_commuting(&pair))?;
    let gates = basis.gates.iter().map(|&gate| match gate {
        Gate::H(qubit) => ("h", vec![qubit]),
        Gate::S(qubit) => ("s", vec![qubit]),
        Gate::Sdg(qubit) => ("sdg", vec![qubit]),
        Gate::Cx(control, target) => ("cx", vec![control, target]),
        Gate::Cz(one, other) => ("cz", vec![one, other]),
    });
    let masks = byte_array(py, basis.masks.iter().map(|mask| mask.to_le_bytes()))?;
    let signs = basis.negative.iter().map(|&negative| if negative { -1 } else { 1 });
    Ok((gates.collect(), masks, signs.collect()))
}

/// Means of terms, means of observables, variances of a single shot of observables.
#[pyfunction]
#[pyo3(signature = (rows, shape, masks, signs, observables, *, words))]
pub fn expectations<'py>(
    py: Python<'py>,
    rows: &[u8],
    shape: (usize, usize, usize),
    masks: &[u8],
    signs: &[u8],
    observables: Entries<'_>,
    words: usize,
) -> PyResult<PyExpectations<'py>> {
    let (sets, shots, width) = shape;
    let rows = Rows::new(rows, sets, shots, width).ok_or_else(error_texts::arrays_do_not_fit)?;
    let masks = whole(masks, u64::from_le_bytes)?;
    let negative: Vec<_> = signs.iter().map(|&sign| sign >> 7 == 1).collect();
    let beyond = |mask: &[u64]| {
        let highest = mask.iter().rposition(|&word| word != 0);
        highest
            .is_some_and(|word| 64 * word + 63 - mask[word].leading_zeros() as usize >= 8 * width)
    };
    if words == 0 || masks.len() != words * negative.len() || masks.chunks(words).any(beyond) {
        return Err(error_texts::arrays_do_not_fit());
    }
    let observables = self::observables(negative.len(), observables)?;
    let Expectations { means, values, variances } =
        detached(py, || aqt_estimate::expectations(rows, words, &masks, &negative, &observables));
    let bytes = |numbers: Vec<f64>| byte_array(py, numbers.into_iter().map(f64::to_le_bytes));
    Ok((bytes(means)?, bytes(values)?, bytes(variances)?))
}

/// Half of the spread of each observable over all outcomes.
#[pyfunction]
#[pyo3(signature = (masks, observables, *, words))]
pub fn half_spreads(
    py: Python<'_>,
    masks: &[u8],
    observables: Entries<'_>,
    words: usize,
) -> PyResult<Vec<f64>> {
    let masks = whole(masks, u64::from_le_bytes)?;
    if words == 0 || !masks.len().is_multiple_of(words) {
        return Err(error_texts::arrays_do_not_fit());
    }
    let observables = self::observables(masks.len() / words, observables)?;
    Ok(detached(py, || aqt_estimate::half_spreads(words, &masks, &observables)))
}

/// The fewest shots of each group that meet all target errors.
#[pyfunction]
#[pyo3(signature = (variances, errors, *, groups, minimum))]
pub fn allocate_shots(
    py: Python<'_>,
    variances: &[u8],
    errors: &[u8],
    groups: usize,
    minimum: u64,
) -> PyResult<Vec<u64>> {
    let (variances, errors) = (floats(variances)?, floats(errors)?);
    if Some(variances.len()) != groups.checked_mul(errors.len()) {
        return Err(error_texts::arrays_do_not_fit());
    }
    detached(py, || aqt_estimate::allocate(groups, &variances, &errors, minimum))
        .map_err(|error| error_texts::allocation_failed(&error))
}

/// Numbers of eight bytes.
fn whole<T>(bytes: &[u8], number: impl Fn([u8; 8]) -> T) -> PyResult<Vec<T>> {
    let (numbers, rest) = bytes.as_chunks();
    if rest.is_empty() {
        Ok(numbers.iter().map(|&n| number(n)).collect())
    } else {
        Err(error_texts::arrays_do_not_fit())
    }
}

fn floats(bytes: &[u8]) -> PyResult<Vec<f64>> {
    whole(bytes, f64::from_le_bytes)
}

fn indices(bytes: &[u8]) -> PyResult<Vec<usize>> {
    let numbers = whole(bytes, i64::from_le_bytes)?;
    let indices = numbers.into_iter().map(usize::try_from).collect::<Result<_, _>>();
    indices.map_err(|_| error_texts::arrays_do_not_fit())
}

fn terms(words: usize, x: &[u8], z: &[u8]) -> PyResult<Terms> {
    let (x, z) = (whole(x, u64::from_le_bytes)?, whole(z, u64::from_le_bytes)?);
    Terms::new(words, x, z).ok_or_else(error_texts::arrays_do_not_fit)
}

fn observables(num_terms: usize, entries: Entries<'_>) -> PyResult<Observables> {
    let (starts, terms, coefficients) = entries;
    Observables::new(num_terms, indices(starts)?, indices(terms)?, floats(coefficients)?)
        .ok_or_else(error_texts::arrays_do_not_fit)
}

fn byte_array(
    py: Python<'_>,
    numbers: impl ExactSizeIterator<Item = [u8; 8]>,
) -> PyResult<Bound<'_, PyByteArray>> {
    PyByteArray::new_with(py, 8 * numbers.len(), |bytes| {
        for (chunk, number) in bytes.as_chunks_mut().0.iter_mut().zip(numbers) {
            *chunk = number;
        }
        Ok(())
    })
}
