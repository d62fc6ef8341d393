//! Mixtures of unitary errors and resets: what happens after a gate, whatever the state is.

use std::sync::OnceLock;

use crate::{matrix::Matrix, transfer::Transfer};

/// A part of an error, on the qubits of its gate: 0 or 1 is the first or the second of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A matrix on one qubit.
    One(usize, Matrix<2>),
    /// A matrix on both qubits; bit 0 of its rows is the gate's first qubit.
    Two(Box<Matrix<4>>),
    /// Puts a qubit into state 0.
    Reset(usize),
}

impl Step {
    /// The matrix on two qubits, of which the gate's first one is at `place`; that of a reset
    /// changes nothing.
    pub(crate) fn placed(&self, place: usize) -> Matrix<4> {
        match self {
            Self::One(qubit, matrix) => matrix.on(qubit ^ place),
            Self::Two(matrix) if place == 0 => **matrix,
            Self::Two(matrix) => matrix.exchanged(),
            Self::Reset(_) => Matrix::identity(),
        }
    }

    fn fits(&self, num_qubits: usize) -> bool {
        match self {
            Self::One(place, matrix) => *place < num_qubits && is_unitary(matrix),
            Self::Two(matrix) => num_qubits == 2 && is_unitary(&**matrix),
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
    pub(crate) num_qubits: usize,
    /// The most probable term without resets: what happens if there is no error.
    usual: Vec<Step>,
    /// Probability of an error.
    pub(crate) error: f64,
    /// The other terms. Their probabilities are added up, up to 1: those given an error.
    terms: Vec<Term>,
    /// The channel on two qubits, by the place of the gate's first one.
    channels: [OnceLock<Box<Transfer>>; 2],
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
        Some(Self { num_qubits, usual, error: error / total, terms, channels: Default::default() })
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

    /// The whole as a channel on two qubits, of which the gate's first one is at `place`.
    pub(crate) fn channel(&self, place: usize) -> &Transfer {
        self.channels[place].get_or_init(|| {
            let mut sum = Transfer::zero();
            let mut before = 0.0;
            for term in &self.terms {
                let given_error = term.probability - before;
                before = term.probability;
                sum.add(self.error * given_error, &channel(&term.steps, place));
            }
            sum.add(1.0 - self.error, &channel(&self.usual, place));
            Box::new(sum)
        })
    }

    /// The steps of a term.
    pub(crate) fn steps(&self, term: usize) -> &[Step] {
        &self.terms[term].steps
    }
}

/// Steps as a channel on two qubits, of which the gate's first one is at `place`.
fn channel(steps: &[Step], place: usize) -> Transfer {
    steps.iter().fold(Transfer::identity(), |before, step| {
        let next = match step {
            Step::Reset(qubit) => Transfer::of_reset(qubit ^ place),
            step => Transfer::of(&step.placed(place)),
        };
        next.after(&before)
    })
}
