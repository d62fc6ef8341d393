//! Lowers a circuit gate by gate.

use super::{
    carry::carry_all,
    interactions::{interact, make_positive},
    runs::{Opening, Runs},
    step::{Lowered, Step},
    writer::write,
};
use crate::{
    gates::{GateSink, OneQubitGate, Variant},
    rotation::{Angles, without_turns},
};

/// Takes the gates of a circuit in order and yields the steps of the lowered circuit.
#[derive(Debug)]
pub struct Lowering {
    runs: Runs,
}

impl Lowering {
    /// An empty circuit on `num_qubits` qubits.
    #[must_use]
    pub fn new(num_qubits: u32) -> Self {
        Self { runs: Runs::new(num_qubits) }
    }

    /// Keeps the next gates on these qubits apart from the ones before.
    ///
    /// # Panics
    /// If there is no such qubit, as in all methods.
    pub fn cut(&mut self, qubits: &[u32]) {
        for &qubit in qubits {
            self.runs.cut(qubit);
        }
    }

    /// Appends a barrier; nothing is merged across it.
    pub fn barrier(&mut self, number: usize, qubits: &[u32]) {
        self.runs.wall(Step::Barrier(number), qubits, Opening::Barrier);
    }

    /// Appends an operation that stays as it is; nothing on its qubits is merged across it.
    pub fn opaque(&mut self, number: usize, qubits: &[u32]) {
        self.runs.wall(Step::Opaque(number), qubits, Opening::Opaque);
    }

    /// The lowered circuit.
    ///
    /// Drops each RZ with nothing but barriers between it and the end of a qubit that is
    /// `measured`: no outcome depends on it.
    #[must_use]
    pub fn finish(mut self, measured: impl Fn(u32) -> bool) -> Lowered {
        make_positive(&mut self.runs);
        carry_all(&mut self.runs, measured);
        write(self.runs)
    }
}

impl GateSink for Lowering {
    fn variant(&self) -> Variant {
        Variant::default()
    }

    fn phase(&mut self, alpha: f64) {
        self.runs.phase += without_turns(alpha);
    }

    /// A gate that stays alone in its run, with angles in range, is kept as it is.
    fn rotate(&mut self, qubit: u32, gate: impl Into<OneQubitGate>) {
        let gate = gate.into();
        self.runs.append(qubit, gate.rotation(), |before| match gate {
            OneQubitGate::R(theta, phi) if before == Angles::NONE => {
                Some(Angles { theta, phi, ..Angles::NONE })
            }
            OneQubitGate::Rz(phi) if before.lambda == 0.0 => Some(Angles { lambda: phi, ..before }),
            _ => None,
        });
    }

    fn rxx(&mut self, qubits: [u32; 2], theta: f64) {
        interact(&mut self.runs, qubits, theta);
    }

    fn relabel(&mut self, _: [u32; 2]) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, PI};

    use super::*;
    use crate::rotation::Rotation;

    fn steps(build: impl FnOnce(&mut Lowering)) -> Vec<Step> {
        let mut lowering = Lowering::new(2);
        build(&mut lowering);
        lowering.finish(|_| false).steps
    }

    #[test]
    fn a_run_becomes_two_operations() {
        let run = steps(|lowering| {
            for k in 0..1000 {
                lowering.rotate(0, Rotation::u(0.1 * f64::from(k), 0.7, -0.3));
            }
        });
        assert!(matches!(run[..], [Step::R { .. }, Step::Rz { .. }]));
    }

    #[test]
    fn inverses_vanish() {
        assert_eq!(
            steps(|lowering| {
                lowering.rotate(0, Rotation::r(0.3, 0.4));
                lowering.rxx([0, 1], 0.7);
                lowering.rotate(1, Rotation::r(0.5, 0.0));
                lowering.rxx([1, 0], -0.7);
                lowering.rotate(1, Rotation::r(-0.5, 0.0));
                lowering.rotate(0, Rotation::r(-0.3, 0.4));
            }),
            []
        );
    }

    #[test]
    fn interactions_merge_across_what_commutes_only() {
        let count = |rotation| {
            let steps = steps(|lowering| {
                lowering.rxx([0, 1], 0.4);
                lowering.rotate(0, rotation);
                lowering.rxx([0, 1], 0.5);
            });
            steps.iter().filter(|step| matches!(step, Step::Rxx { .. })).count()
        };
        assert_eq!(count(Rotation::r(1.0, 0.0)), 1);
        assert_eq!(count(Rotation::r(1.0, PI)), 1);
        assert_eq!(count(Rotation::r(1.0, 0.1)), 2);
        assert_eq!(count(Rotation::rz(0.1)), 2);
        assert_eq!(count(Rotation::rz(PI)), 1);
        assert_eq!(count(Rotation::r(PI, FRAC_PI_2)), 1);
    }

    #[test]
    fn barriers_are_walls() {
        let found = steps(|lowering| {
            lowering.rxx([0, 1], 0.4);
            lowering.barrier(7, &[0]);
            lowering.rxx([0, 1], 0.4);
        });
        assert!(matches!(found[..], [Step::Rxx { .. }, Step::Barrier(7), Step::Rxx { .. }]));
    }

    #[test]
    fn only_measured_qubits_lose_their_last_rz() {
        let mut lowering = Lowering::new(2);
        for qubit in 0..2 {
            lowering.rotate(qubit, Rotation::u(1.0, 0.5, 0.2));
        }
        lowering.barrier(0, &[0, 1]);
        let Lowered { steps, .. } = lowering.finish(|qubit| qubit == 1);
        assert!(matches!(
            steps[..],
            [
                Step::R { qubit: 0, .. },
                Step::Rz { qubit: 0, .. },
                Step::R { qubit: 1, .. },
                Step::Barrier(0)
            ]
        ));
    }
}
