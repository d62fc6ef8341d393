//! Noise: mixtures of unitary errors and resets after gates, and flips of what is read.

use std::collections::HashMap;

use crate::matrix::Matrix;

/// A part of an error, on the qubits of its gate: 0 or 1 is the first or the second of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A matrix on one qubit.
    One(usize, Matrix<2>),
    /// A matrix on both qubits; bit 0 of its rows is the gate's first qubit.
    Two(Matrix<4>),
    /// Puts a qubit into state 0.
    Reset(usize),
}

impl Step {
    fn fits(&self, num_qubits: usize) -> bool {
        match self {
            Self::One(place, matrix) => *place < num_qubits && is_unitary(matrix),
            Self::Two(matrix) => num_qubits == 2 && is_unitary(matrix),
            Self::Reset(place) => *place < num_qubits,
        }
    }
}

/// Accuracy of unitarity: that of matrices which were calculated or written down in decimals.
const TOLERANCE: f64 = 1e-8;

fn is_unitary<const N: usize>(matrix: &Matrix<N>) -> bool {
    matrix.distance_from_unitary() <= TOLERANCE * TOLERANCE
}

/// One of the things that can happen: its steps, in order, with a probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Probability, 0 to 1.
    pub probability: f64,
    /// What happens then.
    pub steps: Vec<Step>,
}

/// What happens after a gate: one of several terms, whatever the state is.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    /// The most probable term without resets: what happens if there is no error.
    usual: Vec<Step>,
    /// Probability of an error.
    pub(crate) error: f64,
    /// The other terms. Their probabilities are added up, up to 1: those given an error.
    terms: Vec<Term>,
}

impl Mixture {
    /// A mixture after a gate on `num_qubits` qubits, 1 or 2.
    ///
    /// Returns `None` if a step does not fit, a matrix is not unitary, or the probabilities are not
    /// between 0 and 1 with a sum of 1.
    #[must_use]
    pub fn new(num_qubits: usize, mut terms: Vec<Term>) -> Option<Self> {
        let fits = |term: &Term| {
            (0.0..=1.0).contains(&term.probability)
                && term.steps.iter().all(|step| step.fits(num_qubits))
        };
        let total: f64 = terms.iter().map(|term| term.probability).sum();
        if !terms.iter().all(fits) || (total - 1.0).abs() > TOLERANCE {
            return None;
        }
        terms.retain(|term| term.probability > 0.0);
        let unitary = |term: &Term| !term.steps.iter().any(|step| matches!(step, Step::Reset(_)));
        let most_probable = (0..terms.len())
            .filter(|&index| unitary(&terms[index]))
            .max_by(|&a, &b| terms[a].probability.total_cmp(&terms[b].probability));
        let usual = most_probable.map_or_else(Vec::new, |index| terms.remove(index).steps);
        let error: f64 = terms.iter().map(|term| term.probability).sum();
        let mut sum = 0.0;
        for term in &mut terms {
            sum += term.probability;
            term.probability = sum / error;
        }
        Some(Self { usual, error: error / total, terms })
    }

    /// What happens if there is no error.
    pub(crate) fn usual(&self) -> &[Step] {
        &self.usual
    }

    /// The term of an error, by a number that is uniform in 0 to 1.
    pub(crate) fn term(&self, uniform: f64) -> usize {
        let found = self.terms.partition_point(|term| term.probability <= uniform);
        found.min(self.terms.len() - 1)
    }

    /// The steps of a term.
    pub(crate) fn steps(&self, term: usize) -> &[Step] {
        &self.terms[term].steps
    }
}

/// The gates that noise can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// rz.
    Rz,
    /// r.
    R,
    /// rxx.
    Rxx,
}

impl Kind {
    /// Number of qubits of such a gate.
    #[must_use]
    pub fn num_qubits(self) -> usize {
        if self == Self::Rxx { 2 } else { 1 }
    }
}

/// Probabilities that a qubit is read wrongly.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Readout {
    /// Probability of 1 for a qubit in state 0.
    pub one_of_zero: f64,
    /// Probability of 0 for a qubit in state 1.
    pub zero_of_one: f64,
}

impl Readout {
    fn is_valid(self) -> bool {
        [self.one_of_zero, self.zero_of_one].iter().all(|flip| (0.0..=1.0).contains(flip))
    }
}

/// The noise of a device.
///
/// What is set for certain qubits, in their order, replaces what is set for all.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    mixtures: HashMap<(Kind, Option<Vec<u32>>), Mixture>,
    readouts: HashMap<Option<u32>, Readout>,
}

impl Noise {
    /// Sets the mixture after gates of a kind on certain qubits, in this order, or on all.
    ///
    /// Returns `false` and sets nothing if the terms or the qubits do not fit.
    #[must_use]
    pub fn set_mixture(&mut self, kind: Kind, qubits: Option<Vec<u32>>, terms: Vec<Term>) -> bool {
        if qubits.as_ref().is_some_and(|qubits| qubits.len() != kind.num_qubits()) {
            return false;
        }
        let Some(mixture) = Mixture::new(kind.num_qubits(), terms) else { return false };
        self.mixtures.insert((kind, qubits), mixture);
        true
    }

    /// Sets how a qubit is read, or all of them.
    ///
    /// Returns `false` and sets nothing if a probability is not between 0 and 1.
    #[must_use]
    pub fn set_readout(&mut self, qubit: Option<u32>, readout: Readout) -> bool {
        if readout.is_valid() {
            self.readouts.insert(qubit, readout);
        }
        readout.is_valid()
    }

    /// What happens after a gate.
    pub(crate) fn mixture(&self, kind: Kind, qubits: &[u32]) -> Option<&Mixture> {
        if self.mixtures.is_empty() {
            return None;
        }
        self.mixtures
            .get(&(kind, Some(qubits.to_vec())))
            .or_else(|| self.mixtures.get(&(kind, None)))
    }

    /// How a qubit is read.
    pub(crate) fn readout(&self, qubit: u32) -> Readout {
        let found = self.readouts.get(&Some(qubit)).or_else(|| self.readouts.get(&None));
        found.copied().unwrap_or_default()
    }
}
