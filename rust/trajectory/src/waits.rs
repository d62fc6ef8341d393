//! What happens to the qubits of a circuit while they wait for gates on others.

use std::collections::HashMap;

use aqt_core::{Circuit, Operation};

use crate::{
    matrix::Matrix,
    mixture::{Mixture, Step, Term},
    waiting::Waiting,
};

/// Numbers of gates that take time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Gates {
    r: u32,
    rxx: u32,
}

impl Gates {
    /// What happens to a qubit in the time of these gates.
    fn mixture(self, waiting: &Waiting) -> Option<Mixture> {
        let time = f64::from(self.r) * waiting.r + f64::from(self.rxx) * waiting.rxx;
        let [reset, flip] = waiting.probabilities(time);
        let terms = vec![
            Term { probability: (1.0 - reset) * (1.0 - flip), steps: vec![] },
            Term { probability: (1.0 - reset) * flip, steps: vec![Step::One(0, Matrix::Z)] },
            Term { probability: reset, steps: vec![Step::Reset(0)] },
        ];
        Mixture::new(1, terms)
    }
}

/// What happens to the qubits of a circuit while they wait.
#[derive(Default)]
pub(crate) struct Waits {
    mixtures: Vec<Mixture>,
    /// For each operation, what happened to its qubits before it, by index.
    before: Vec<[Option<usize>; 2]>,
    /// What happens to qubits after their last gate.
    at_the_end: Vec<(u32, usize)>,
}

impl Waits {
    /// Nothing happens without `waiting`. A qubit without a gate is in state 0 and stays there. rz
    /// takes no time, and it does not matter whether it comes before or after relaxation.
    pub(crate) fn new(circuit: &Circuit, waiting: Option<&Waiting>) -> Self {
        let mut waits = Self::default();
        let Some(waiting) = waiting else { return waits };
        let mut known: HashMap<Gates, Option<usize>> = HashMap::new();
        let mut passed = Gates::default();
        let mut seen: Vec<Option<Gates>> = vec![None; circuit.num_qubits() as usize];
        let mut index = |mixtures: &mut Vec<Mixture>, since: Option<Gates>, now: Gates| {
            let since = since?;
            let gates = Gates { r: now.r - since.r, rxx: now.rxx - since.rxx };
            *known.entry(gates).or_insert_with(|| {
                if gates == Gates::default() {
                    return None;
                }
                mixtures.push(gates.mixture(waiting)?);
                Some(mixtures.len() - 1)
            })
        };
        for operation in circuit.operations() {
            let [first, second] = operation.qubits();
            let mut before = [None; 2];
            let is_rxx = matches!(operation, Operation::Rxx { .. });
            if !matches!(operation, Operation::Rz { .. }) {
                before[0] = index(&mut waits.mixtures, seen[first as usize], passed);
                if is_rxx {
                    before[1] = index(&mut waits.mixtures, seen[second as usize], passed);
                    passed.rxx += 1;
                } else {
                    passed.r += 1;
                }
                seen[first as usize] = Some(passed);
                seen[second as usize] = Some(passed);
            }
            waits.before.push(before);
        }
        for (qubit, since) in (0..).zip(seen) {
            if let Some(found) = index(&mut waits.mixtures, since, passed) {
                waits.at_the_end.push((qubit, found));
            }
        }
        waits
    }

    /// What happened to a qubit before an operation: `place` is its place among the operation's.
    pub(crate) fn before(&self, operation: usize, place: usize) -> Option<&Mixture> {
        let index = self.before.get(operation)?[place]?;
        Some(&self.mixtures[index])
    }

    /// What happens to qubits after the last gate.
    pub(crate) fn at_the_end(&self) -> impl Iterator<Item = (u32, &Mixture)> {
        self.at_the_end.iter().map(|&(qubit, index)| (qubit, &self.mixtures[index]))
    }
}
