//! Noise, and outcomes of simulated trajectories.

use aqt_compile::complex::Complex;
use aqt_trajectory::{Kind, Matrix, Method, Mixture, Qubits, Readout, Step, Term, Waiting};
use pyo3::{prelude::*, pybacked::PyBackedStr};

use crate::{
    detached::detached, error_texts, repetitions::Shots, samples::Samples, snapshot::Snapshot,
};

/// Name, qubits within the gate, and real and imaginary parts of a unitary matrix, row by row.
type PyStep = (PyBackedStr, Vec<usize>, Vec<(f64, f64)>);

/// Number of qubits, and probability and steps of each term.
type PyMixture = (usize, Vec<(f64, Vec<PyStep>)>);

/// Name of a gate, its qubits or none for all, and the index of a mixture.
type PyPlace = (PyBackedStr, Vec<u32>, usize);

/// A qubit, or all, and the probabilities of 1 for state 0 and of 0 for state 1.
type PyReadout = (Option<u32>, f64, f64);

/// The noise of a device.
#[pyclass(frozen, module = "aqt_fast._native")]
pub struct Noise {
    noise: aqt_trajectory::Noise,
}

#[pymethods]
impl Noise {
    /// Noise from mixtures, the gates that they follow, errors of readout, T1, T2 and durations of r
    /// and rxx for waiting qubits, and the fraction by which gates rotate too far.
    #[new]
    #[pyo3(signature = (mixtures, places, readouts, waiting=None, over_rotation=0.0))]
    fn new(
        mixtures: Vec<PyMixture>,
        places: Vec<PyPlace>,
        readouts: Vec<PyReadout>,
        waiting: Option<(f64, f64, f64, f64)>,
        over_rotation: f64,
    ) -> PyResult<Self> {
        let mixtures = mixtures
            .into_iter()
            .enumerate()
            .map(|(index, terms)| mixture(terms).ok_or_else(|| error_texts::no_mixture(index)));
        let mut noise = aqt_trajectory::Noise::new(mixtures.collect::<PyResult<_>>()?);
        for (name, qubits, index) in places {
            let place = kind(&name).zip(self::qubits(&qubits));
            if !place.is_some_and(|(kind, qubits)| noise.set_mixture(kind, qubits, index)) {
                return Err(error_texts::no_place_of_noise(&name, &qubits));
            }
        }
        for (qubit, one_of_zero, zero_of_one) in readouts {
            if !noise.set_readout(qubit, Readout { one_of_zero, zero_of_one }) {
                return Err(error_texts::no_readout_error(one_of_zero, zero_of_one));
            }
        }
        if let Some((t1, t2, r, rxx)) = waiting
            && !noise.set_waiting(Waiting { t1, t2, r, rxx })
        {
            return Err(error_texts::no_waiting(t1, t2, r, rxx));
        }
        if !noise.set_over_rotation(over_rotation) {
            return Err(error_texts::no_over_rotation(over_rotation));
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

fn qubits(qubits: &[u32]) -> Option<Qubits> {
    match *qubits {
        [] => Some(Qubits::All),
        [qubit] => Some(Qubits::One(qubit)),
        [first, second] => Some(Qubits::Two([first, second])),
        _ => None,
    }
}

fn mixture((num_qubits, terms): PyMixture) -> Option<Mixture> {
    let term = |(probability, steps): (f64, Vec<PyStep>)| {
        Some(Term { probability, steps: steps.into_iter().map(step).collect::<Option<_>>()? })
    };
    Mixture::new(num_qubits, terms.into_iter().map(term).collect::<Option<_>>()?)
}

fn step((name, places, rows): PyStep) -> Option<Step> {
    let rows: Vec<_> = rows.into_iter().map(|(re, im)| Complex::new(re, im)).collect();
    match (&*name, &*places) {
        ("x", &[place]) => Some(Step::One(place, Matrix::X)),
        ("y", &[place]) => Some(Step::One(place, Matrix::Y)),
        ("z", &[place]) => Some(Step::One(place, Matrix::Z)),
        ("reset", &[place]) => Some(Step::Reset(place)),
        ("unitary", &[place]) => Some(Step::One(place, Matrix::from_rows(&rows)?)),
        ("unitary", [0, 1]) => Some(Step::Two(Box::new(Matrix::from_rows(&rows)?))),
        ("unitary", [1, 0]) => {
            Some(Step::Two(Box::new(Matrix::<4>::from_rows(&rows)?.exchanged())))
        }
        _ => None,
    }
}

fn method(name: &str) -> PyResult<Method> {
    match name {
        "trajectories" => Ok(Method::Trajectories),
        "density_matrix" => Ok(Method::Density),
        _ => Err(error_texts::no_method(name)),
    }
}

/// Outcomes of the circuits from `start` to before `stop`, one seed each.
#[pyfunction]
#[pyo3(signature = (circuits, start, stop, noise, *, shots, seeds, method=None))]
pub fn sample_trajectories(
    circuits: &Bound<'_, Snapshot>,
    start: usize,
    stop: usize,
    noise: &Bound<'_, Noise>,
    shots: Shots,
    seeds: Vec<u64>,
    method: Option<&str>,
) -> PyResult<Vec<Samples>> {
    let (snapshot, noise) = (circuits.get(), &noise.get().noise);
    snapshot.check(start, stop)?;
    let method = method.map(self::method).transpose()?;
    let shots = shots.each(stop - start)?;
    if seeds.len() != shots.len() {
        return Err(error_texts::no_such_circuits());
    }
    let samples = detached(circuits.py(), || {
        snapshot
            .circuits(start, stop)
            .zip(shots.into_iter().zip(seeds))
            .map(|((circuit, _), (shots, seed))| {
                aqt_trajectory::sample(&circuit, noise, shots, seed, method).into()
            })
            .collect()
    });
    Ok(samples)
}
