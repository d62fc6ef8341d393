//! Noise: mixtures of unitary errors and resets after gates, and flips of what is read.

use std::{collections::HashMap, sync::OnceLock};

use crate::{matrix::Matrix, transfer::Transfer, waiting::Waiting};

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
    num_qubits: usize,
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
    mixtures: Vec<Mixture>,
    after: HashMap<(Kind, Qubits), usize>,
    readouts: HashMap<Option<u32>, Readout>,
    waiting: Option<Waiting>,
    over_rotation: f64,
}

/// The qubits of a gate, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Qubits {
    /// Whichever they are.
    All,
    /// One.
    One(u32),
    /// Two.
    Two([u32; 2]),
}

impl Noise {
    /// Noise with these mixtures, which follow no gate yet.
    #[must_use]
    pub fn new(mixtures: Vec<Mixture>) -> Self {
        Self { mixtures, ..Self::default() }
    }

    /// Sets the mixture after gates of a kind on certain qubits, by its index.
    ///
    /// Returns `false` and sets nothing if there is no such mixture, or the qubits do not fit.
    #[must_use]
    pub fn set_mixture(&mut self, kind: Kind, qubits: Qubits, index: usize) -> bool {
        let num_qubits = kind.num_qubits();
        let fits = match qubits {
            Qubits::All => true,
            Qubits::One(_) => num_qubits == 1,
            Qubits::Two([first, second]) => num_qubits == 2 && first != second,
        };
        let mixture = self.mixtures.get(index);
        let fits = fits && mixture.is_some_and(|mixture| mixture.num_qubits == num_qubits);
        if fits {
            self.after.insert((kind, qubits), index);
        }
        fits
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

    /// Sets how qubits relax while gates act on others.
    ///
    /// Returns `false` and sets nothing if a time is out of its range.
    #[must_use]
    pub fn set_waiting(&mut self, waiting: Waiting) -> bool {
        if waiting.is_valid() {
            self.waiting = Some(waiting);
        }
        waiting.is_valid()
    }

    /// Sets how much farther r and rxx rotate than they should, as a fraction of the angle.
    ///
    /// Returns `false` and sets nothing if it is not finite.
    #[must_use]
    pub fn set_over_rotation(&mut self, fraction: f64) -> bool {
        if fraction.is_finite() {
            self.over_rotation = fraction;
        }
        fraction.is_finite()
    }

    /// How qubits relax while gates act on others; nothing happens to them if it is not set.
    pub(crate) fn waiting(&self) -> Option<&Waiting> {
        self.waiting.as_ref()
    }

    /// The factor of the angles of r and rxx.
    pub(crate) fn rotation(&self) -> f64 {
        1.0 + self.over_rotation
    }

    /// What happens after a gate.
    pub(crate) fn mixture(&self, kind: Kind, qubits: Qubits) -> Option<&Mixture> {
        let found =
            self.after.get(&(kind, qubits)).or_else(|| self.after.get(&(kind, Qubits::All)));
        found.map(|&index| &self.mixtures[index])
    }

    /// How a qubit is read.
    pub(crate) fn readout(&self, qubit: u32) -> Readout {
        let found = self.readouts.get(&Some(qubit)).or_else(|| self.readouts.get(&None));
        found.copied().unwrap_or_default()
    }
}
