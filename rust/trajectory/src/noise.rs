//! Noise of a device: which mixture follows which gate, and how qubits are read.

use std::collections::HashMap;

use crate::{mixture::Mixture, waiting::Waiting};

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
