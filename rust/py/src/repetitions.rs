//! Repetitions of circuits, as Python gives them.

use pyo3::prelude::*;

use crate::error_texts;

/// Shots of circuits.
#[derive(FromPyObject)]
pub enum Shots {
    /// As many for each circuit.
    Same(u32),
    /// One number a circuit.
    Each(Vec<u32>),
}

impl Shots {
    /// One number a circuit.
    pub fn each(self, num_circuits: usize) -> PyResult<Vec<u32>> {
        match self {
            Self::Same(shots) => Ok(vec![shots; num_circuits]),
            Self::Each(shots) if shots.len() == num_circuits => Ok(shots),
            Self::Each(_) => Err(error_texts::no_such_circuits()),
        }
    }
}

/// Repetitions of the circuits of an API job.
#[derive(FromPyObject)]
pub enum Repetitions {
    /// Each circuit is one run with as many.
    Same(u32),
    /// Those of each run, circuit by circuit.
    Runs(Vec<Vec<u32>>),
}

impl Repetitions {
    /// The index of the circuit, and the repetitions, of each run.
    pub fn runs(self, num_circuits: usize) -> PyResult<Vec<(usize, u32)>> {
        match self {
            Self::Same(shots) => Ok((0..num_circuits).map(|circuit| (circuit, shots)).collect()),
            Self::Runs(runs) if runs.len() == num_circuits => Ok(runs
                .into_iter()
                .enumerate()
                .flat_map(|(circuit, runs)| runs.into_iter().map(move |shots| (circuit, shots)))
                .collect()),
            Self::Runs(_) => Err(error_texts::no_such_circuits()),
        }
    }
}
