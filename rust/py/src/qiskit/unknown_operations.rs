//! Python's explanations of operations that the compiler does not know.

use aqt_compile::{
    Item,
    complex::{Complex, Matrix, rotation_of},
    gates::Gate,
};
use pyo3::{
    exceptions::PyException,
    prelude::*,
    types::{PyList, PyString},
};

use crate::error_texts::Problem;

/// How far products of a unitary's rows may be from 0 or 1.
const UNITARY: f64 = 1e-6;

/// Functions of `aqt_fast.compiler` that explain unknown operations.
pub struct Explain<'a, 'py> {
    /// An operation → its [`Expansion`].
    pub expand: &'a Bound<'py, PyAny>,
    /// A circuit → an equivalent one from Qiskit's synthesis plugins.
    pub synthesise: &'a Bound<'py, PyAny>,
}

/// The decomposition of an operation that the compiler does not know.
pub enum Expansion<'py> {
    /// An equivalent circuit, and whether Qiskit has synthesis plugins for the operation.
    Circuit(Bound<'py, PyAny>, bool),
    /// The matrix of a gate on one or two qubits; the first qubit is the lower bit. The matrix of a
    /// larger gate only if it is not unitary.
    Matrix(Vec<Vec<(f64, f64)>>),
    /// Why there is neither.
    Reason(String),
}

impl<'py> Expansion<'py> {
    /// Asks Python.
    pub fn of(operation: &Bound<'py, PyAny>, explain: &Explain<'_, 'py>) -> PyResult<Self> {
        let value = explain.expand.call1((operation,))?;
        if value.is_instance_of::<PyString>() {
            value.extract().map(Self::Reason)
        } else if value.is_instance_of::<PyList>() {
            value.extract().map(Self::Matrix)
        } else {
            value.extract().map(|(circuit, with_plugins)| Self::Circuit(circuit, with_plugins))
        }
    }
}

/// The problem of an operation whose code raised.
///
/// # Errors
/// `raised` itself if it is no `Exception`, like `KeyboardInterrupt`.
pub fn raised_problem(py: Python<'_>, raised: PyErr) -> PyResult<Problem> {
    if !raised.is_instance_of::<PyException>(py) {
        return Err(raised);
    }
    let message = raised.value(py).str()?.to_string();
    Ok(Problem::Raised { type_name: raised.get_type(py).name()?.to_string(), message })
}

/// The item of a matrix on these qubits.
pub fn unitary(rows: &[Vec<(f64, f64)>], qubits: &[u32]) -> Result<Item, Problem> {
    fn matrix<const N: usize>(rows: &[Vec<(f64, f64)>]) -> Result<Matrix<N>, Problem> {
        let mut matrix = [[Complex::ZERO; N]; N];
        if rows.len() != N || rows.iter().any(|row| row.len() != N) {
            return Err(Problem::MatrixDoesNotFit);
        }
        for (row, entries) in matrix.iter_mut().zip(rows) {
            for (entry, &(re, im)) in row.iter_mut().zip(entries) {
                *entry = Complex::new(re, im);
            }
        }
        if is_unitary(rows) { Ok(matrix) } else { Err(Problem::NotUnitary) }
    }
    match *qubits {
        [qubit] => matrix(rows).map(|unitary| {
            let (rotation, phase) = rotation_of(&unitary);
            Item::Gate(Gate::Single { rotation: rotation.into(), phase }, [qubit, 0, 0, 0])
        }),
        [low, high] => matrix(rows).map(|unitary| Item::Unitary(Box::new(unitary), [high, low])),
        // Python gives the matrix of a larger gate only if it is not unitary.
        _ => Err(Problem::NotUnitary),
    }
}

/// Whether the rows are orthonormal, within [`UNITARY`]. False if there is a NaN.
fn is_unitary(rows: &[Vec<(f64, f64)>]) -> bool {
    rows.iter().enumerate().all(|(i, a)| {
        rows.iter().enumerate().all(|(j, b)| {
            let (mut re, mut im) = (if i == j { -1.0 } else { 0.0 }, 0.0);
            for (&(a, b), &(c, d)) in a.iter().zip(b) {
                re += a * c + b * d;
                im += b * c - a * d;
            }
            f64::hypot(re, im) <= UNITARY
        })
    })
}
