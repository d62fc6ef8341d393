//! Noise, and outcomes of simulated trajectories.

use aqt_trajectory::{Complex, Kind, Matrix, Readout, Step, Term};
use pyo3::{prelude::*, pybacked::PyBackedStr};

use crate::{error_texts, repetitions::Shots, samples::Samples, snapshot::Snapshot};

/// Qubits within a gate, and the real and imaginary parts of a matrix row by row, or none: a reset.
type PyStep = (Vec<usize>, Option<Vec<(f64, f64)>>);

/// Probability and steps.
type PyTerm = (f64, Vec<PyStep>);

/// Name and qubits of a gate, or all, and terms.
type PyMixture = (PyBackedStr, Option<Vec<u32>>, Vec<PyTerm>);

/// A qubit, or all, and the probabilities of 1 for state 0 and of 0 for state 1.
type PyReadout = (Option<u32>, f64, f64);

/// The noise of a device.
#[pyclass(frozen, module = "aqt_fast._native")]
pub struct Noise {
    noise: aqt_trajectory::Noise,
}

#[pymethods]
impl Noise {
    /// Noise from mixtures after gates and errors of readout.
    #[new]
    fn new(mixtures: Vec<PyMixture>, readouts: Vec<PyReadout>) -> PyResult<Self> {
        let mut noise = aqt_trajectory::Noise::default();
        for (name, qubits, terms) in mixtures {
            let kind = kind(&name).ok_or_else(|| error_texts::no_noise(&name))?;
            let terms = terms.into_iter().map(term).collect::<Option<_>>();
            if !terms.is_some_and(|terms| noise.set_mixture(kind, qubits, terms)) {
                return Err(error_texts::no_noise(&name));
            }
        }
        for (qubit, one_of_zero, zero_of_one) in readouts {
            if !noise.set_readout(qubit, Readout { one_of_zero, zero_of_one }) {
                return Err(error_texts::no_noise("measure"));
            }
        }
        Ok(Self { noise })
    }
}

fn kind(name: &str) -> Option<Kind> {
    match name {
        "rz" => Some(Kind::Rz),
        "r" => Some(Kind::R),
        "rxx" => Some(Kind::Rxx),
        _ => None,
    }
}

fn term((probability, steps): PyTerm) -> Option<Term> {
    Some(Term { probability, steps: steps.into_iter().map(step).collect::<Option<_>>()? })
}

fn step((places, matrix): PyStep) -> Option<Step> {
    let rows = matrix
        .map(|rows| rows.into_iter().map(|(re, im)| Complex::new(re, im)).collect::<Vec<_>>());
    match (places.as_slice(), rows) {
        (&[place], None) => Some(Step::Reset(place)),
        (&[place], Some(rows)) => Some(Step::One(place, Matrix::from_rows(&rows)?)),
        (&[0, 1], Some(rows)) => Some(Step::Two(Matrix::from_rows(&rows)?)),
        (&[1, 0], Some(rows)) => Some(Step::Two(Matrix::<4>::from_rows(&rows)?.exchanged())),
        _ => None,
    }
}

/// Outcomes of the circuits from `start` to before `stop`, one seed each.
#[pyfunction]
#[pyo3(signature = (circuits, start, stop, noise, *, shots, seeds))]
pub fn sample_trajectories(
    circuits: &Bound<'_, Snapshot>,
    start: usize,
    stop: usize,
    noise: &Bound<'_, Noise>,
    shots: Shots,
    seeds: Vec<u64>,
) -> PyResult<Vec<Samples>> {
    let (snapshot, noise) = (circuits.get(), &noise.get().noise);
    snapshot.check(start, stop)?;
    let shots = shots.each(stop - start)?;
    if seeds.len() != shots.len() {
        return Err(error_texts::no_such_circuits());
    }
    let samples = circuits.py().detach(|| {
        snapshot
            .circuits(start, stop)
            .zip(shots.into_iter().zip(seeds))
            .map(|((circuit, _), (shots, seed))| {
                aqt_trajectory::sample(&circuit, noise, shots, seed).into()
            })
            .collect()
    });
    Ok(samples)
}
