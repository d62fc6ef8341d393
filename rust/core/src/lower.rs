//! Any single-qubit gates and RXX → the fewest operations that AQT's interface accepts.
//!
//! A qubit's gates between two of its interactions are one element of SU(2), written as
//! RZ(λ)·R(θ, φ) at the end. An interaction waits until something else than a single-qubit gate
//! needs one of its qubits, so that another one on the same pair can be added to it.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// Rotations by less than this, in radians, are left out.
const NEGLIGIBLE: f64 = 1e-12;

/// An element of SU(2): the matrix ((a, −b*), (b, a*)) with complex a and b, |a|² + |b|² = 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotation {
    pub(crate) a: (f64, f64),
    pub(crate) b: (f64, f64),
}

impl Rotation {
    /// No rotation.
    pub const IDENTITY: Self = Self { a: (1.0, 0.0), b: (0.0, 0.0) };

    /// RZ(φ) = exp(−iφZ/2), φ in radians.
    #[must_use]
    pub fn rz(phi: f64) -> Self {
        let (sine, cosine) = (phi / 2.0).sin_cos();
        Self { a: (cosine, -sine), b: (0.0, 0.0) }
    }

    /// R(θ, φ) = exp(−iθ(cos φ·X + sin φ·Y)/2), angles in radians.
    #[must_use]
    pub fn r(theta: f64, phi: f64) -> Self {
        let (sine, cosine) = (theta / 2.0).sin_cos();
        let (axis_y, axis_x) = phi.sin_cos();
        Self { a: (cosine, 0.0), b: (sine * axis_y, -sine * axis_x) }
    }

    /// RZ(φ)·RY(θ)·RZ(λ), angles in radians: Qiskit's U(θ, φ, λ) but for the phase (φ + λ)/2.
    #[must_use]
    pub fn u(theta: f64, phi: f64, lambda: f64) -> Self {
        Self::rz(phi).after(Self::r(theta, FRAC_PI_2)).after(Self::rz(lambda))
    }

    /// `self` applied after `first`.
    #[must_use]
    pub fn after(self, first: Self) -> Self {
        let times = |x: (f64, f64), y: (f64, f64)| (x.0 * y.0 - x.1 * y.1, x.0 * y.1 + x.1 * y.0);
        let conjugate = |x: (f64, f64)| (x.0, -x.1);
        let (aa, bb) = (times(self.a, first.a), times(conjugate(self.b), first.b));
        let (ba, ab) = (times(self.b, first.a), times(conjugate(self.a), first.b));
        Self { a: (aa.0 - bb.0, aa.1 - bb.1), b: (ba.0 + ab.0, ba.1 + ab.1) }
    }

    /// Whether it needs an R.
    fn is_pulse(self) -> bool {
        self.b.0.abs() > NEGLIGIBLE || self.b.1.abs() > NEGLIGIBLE
    }

    /// The sign s with X·`self` = s·`self`·X, if there is one: + for rotations about X, − for
    /// half turns about an axis perpendicular to it.
    pub(crate) fn sign_of_x(self) -> Option<f64> {
        let negligible = |x: f64| x.abs() < NEGLIGIBLE;
        if negligible(self.a.1) && negligible(self.b.0) {
            Some(1.0)
        } else if negligible(self.a.0) && negligible(self.b.1) {
            Some(-1.0)
        } else {
            None
        }
    }

    /// (θ, φ, λ, α) with `self` = exp(iα)·RZ(λ)·R(θ, φ), θ ∈ [0, π], φ ∈ [0, 2π), λ ∈ [−π, π] and
    /// α either 0 or π.
    fn angles(self) -> (f64, f64, f64, f64) {
        let size = |x: (f64, f64)| (x.0 * x.0 + x.1 * x.1).sqrt();
        let (size_a, size_b) = (size(self.a), size(self.b));
        let theta = 2.0 * size_b.atan2(size_a);
        // Of a half turn, λ and φ are not both determined.
        let lambda = if size_a < NEGLIGIBLE { 0.0 } else { -2.0 * self.a.1.atan2(self.a.0) };
        let phi = self.b.1.atan2(self.b.0) + FRAC_PI_2 - lambda / 2.0;
        let phi = phi.rem_euclid(TAU);
        let turns = (lambda / TAU).round();
        let alpha = if turns == 0.0 { 0.0 } else { PI };
        (theta, if phi < TAU { phi } else { 0.0 }, lambda - turns * TAU, alpha)
    }
}

/// An operation of the lowered circuit; angles in radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// R(θ, φ), 0 < θ ≤ π, 0 ≤ φ < 2π.
    R {
        /// Qubit index.
        qubit: u32,
        /// Angle θ.
        theta: f64,
        /// Axis φ.
        phi: f64,
    },
    /// RZ(φ), −π ≤ φ ≤ π.
    Rz {
        /// Qubit index.
        qubit: u32,
        /// Angle φ.
        phi: f64,
    },
    /// RXX(θ), 0 < θ ≤ π/2.
    Rxx {
        /// Qubit indices.
        qubits: [u32; 2],
        /// Angle θ.
        theta: f64,
    },
    /// A barrier, by the number that it was given.
    Barrier(usize),
    /// Something else that stays as it is, by the number that it was given.
    Opaque(usize),
}

/// What waits on a qubit: a rotation, or an interaction between two of them.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    before: Rotation,
    interaction: Option<Interaction>,
    after: Rotation,
}

#[derive(Clone, Copy, Debug)]
struct Interaction {
    qubits: [u32; 2],
    theta: f64,
}

impl Waiting {
    const NOTHING: Self =
        Self { before: Rotation::IDENTITY, interaction: None, after: Rotation::IDENTITY };

    fn last(&mut self) -> &mut Rotation {
        if self.interaction.is_some() { &mut self.after } else { &mut self.before }
    }
}

/// Takes the gates of a circuit in order and yields the steps of the lowered one.
#[derive(Debug)]
pub struct Lowering {
    waiting: Vec<Waiting>,
    steps: Vec<Step>,
    /// Qubits of each barrier and opaque step, in order.
    walls: Vec<Vec<u32>>,
    phase: f64,
    merge: bool,
    /// Whether an interaction came to nothing, so that others may have become neighbours.
    vanished: bool,
}

impl Lowering {
    /// An empty circuit on `num_qubits` qubits. With `merge` false each gate is rewritten on its
    /// own.
    #[must_use]
    pub fn new(num_qubits: u32, merge: bool) -> Self {
        let waiting = vec![Waiting::NOTHING; num_qubits as usize];
        let (steps, walls) = (Vec::new(), Vec::new());
        Self { waiting, steps, walls, phase: 0.0, merge, vanished: false }
    }

    /// Appends exp(i·`phase`)·`rotation` on `qubit`.
    ///
    /// # Panics
    /// If there is no such qubit, as in all methods.
    pub fn rotate(&mut self, qubit: u32, rotation: Rotation, phase: f64) {
        self.phase += phase;
        let last = self.waiting[qubit as usize].last();
        *last = rotation.after(*last);
        if !self.merge {
            self.settle(qubit);
        }
    }

    /// Appends RXX(`theta`), `theta` in radians.
    pub fn rxx(&mut self, qubits: [u32; 2], theta: f64) {
        if self.add_to_open(qubits, theta) {
            return;
        }
        for qubit in qubits {
            self.close(qubit);
        }
        for qubit in qubits {
            self.waiting[qubit as usize].interaction = Some(Interaction { qubits, theta });
        }
        if !self.merge {
            self.settle(qubits[0]);
            self.settle(qubits[1]);
        }
    }

    /// Adds RXX(`theta`) to an interaction that waits on the same qubits, if what came after that
    /// can be passed: RXX(θ)·(A⊗B) = (A⊗B)·RXX(±θ) where A and B have a sign with X.
    fn add_to_open(&mut self, qubits: [u32; 2], theta: f64) -> bool {
        let [first, second] = qubits.map(|qubit| self.waiting[qubit as usize]);
        let Some(open) = first.interaction else { return false };
        let same = open.qubits == qubits || open.qubits == [qubits[1], qubits[0]];
        let signs = (first.after.sign_of_x(), second.after.sign_of_x());
        let (true, (Some(first), Some(second))) = (same, signs) else { return false };
        let merged = Interaction { theta: open.theta + first * second * theta, ..open };
        for qubit in qubits {
            self.waiting[qubit as usize].interaction = Some(merged);
        }
        true
    }

    /// Appends a barrier; nothing is merged across it.
    pub fn barrier(&mut self, number: usize, qubits: &[u32]) {
        self.wall(Step::Barrier(number), qubits);
    }

    /// Appends something that stays as it is; nothing on its qubits is merged across it.
    pub fn opaque(&mut self, number: usize, qubits: &[u32]) {
        self.wall(Step::Opaque(number), qubits);
    }

    fn wall(&mut self, step: Step, qubits: &[u32]) {
        self.settle_all(qubits);
        self.steps.push(step);
        self.walls.push(qubits.to_vec());
    }

    /// All steps, and the global phase in radians.
    ///
    /// An RZ with nothing but barriers between it and the measurement of its qubit changes no
    /// outcome and is dropped, unless gates are rewritten on their own.
    #[must_use]
    pub fn finish(mut self, measured: impl Fn(u32) -> bool) -> (Vec<Step>, f64) {
        self.settle_everything();
        if self.merge {
            while self.vanished {
                self = self.again();
            }
            self.drop_unseen(measured);
        }
        (self.steps, self.phase)
    }

    /// The lowering of the steps so far.
    fn again(self) -> Self {
        let mut lowering = Self { waiting: self.waiting, phase: self.phase, ..Self::new(0, true) };
        let mut walls = self.walls.into_iter();
        for step in self.steps {
            match step {
                Step::R { qubit, theta, phi } => {
                    lowering.rotate(qubit, Rotation::r(theta, phi), 0.0);
                }
                Step::Rz { qubit, phi } => lowering.rotate(qubit, Rotation::rz(phi), 0.0),
                Step::Rxx { qubits, theta } => lowering.rxx(qubits, theta),
                Step::Barrier(_) | Step::Opaque(_) => {
                    lowering.wall(step, &walls.next().unwrap_or_default());
                }
            }
        }
        lowering.settle_everything();
        lowering
    }

    fn settle_everything(&mut self) {
        let qubits: Vec<_> = (0..).take(self.waiting.len()).collect();
        self.settle_all(&qubits);
    }

    fn drop_unseen(&mut self, measured: impl Fn(u32) -> bool) {
        // Whether the qubit's last gate before its measurement is still to come, from the end.
        let mut open: Vec<_> = (0..).take(self.waiting.len()).map(measured).collect();
        let mut opaque = false;
        self.steps.reverse();
        self.steps.retain(|step| match *step {
            Step::Rz { qubit, .. } => opaque || !open[qubit as usize],
            Step::R { qubit, .. } => {
                open[qubit as usize] = false;
                true
            }
            Step::Rxx { qubits, .. } => {
                for qubit in qubits {
                    open[qubit as usize] = false;
                }
                true
            }
            Step::Barrier(_) => true,
            Step::Opaque(_) => {
                opaque = true;
                true
            }
        });
        self.steps.reverse();
    }

    fn settle_all(&mut self, qubits: &[u32]) {
        for &qubit in qubits {
            self.settle(qubit);
        }
    }

    /// Writes everything that waits on `qubit`.
    fn settle(&mut self, qubit: u32) {
        self.close(qubit);
        self.write_rotation(qubit);
    }

    /// Writes the interaction that waits on `qubit`, if there is one; a rotation may be left.
    fn close(&mut self, qubit: u32) {
        let Some(Interaction { qubits, mut theta }) = self.waiting[qubit as usize].interaction
        else {
            return;
        };
        // RXX(θ + 2π) = −RXX(θ): into [−π, π].
        let turns = (theta / TAU).round();
        theta -= turns * TAU;
        self.phase += (turns * PI).rem_euclid(TAU);
        // RXX(±π) = ∓i X⊗X, and X = i·R(π, 0), so RXX(±π) = ±i R(π, 0)⊗R(π, 0): into [−π/2, π/2].
        if theta.abs() > FRAC_PI_2 {
            let half_turn = PI.copysign(theta);
            theta -= half_turn;
            self.phase += half_turn / 2.0;
            // They commute with RXX: each goes where it costs no pulse, if it can.
            let x = Rotation::r(PI, 0.0);
            for qubit in qubits {
                let waiting = &mut self.waiting[qubit as usize];
                if waiting.before.is_pulse() {
                    waiting.before = x.after(waiting.before);
                } else {
                    waiting.after = waiting.after.after(x);
                }
            }
        }
        let written = theta.abs() > NEGLIGIBLE;
        if written {
            if theta < 0.0 {
                // (RZ(π)⊗1)·RXX(θ)·(RZ(−π)⊗1) = RXX(−θ).
                let first = &mut self.waiting[qubits[0] as usize];
                first.before = Rotation::rz(-PI).after(first.before);
                first.after = first.after.after(Rotation::rz(PI));
            }
            for qubit in qubits {
                self.write_rotation(qubit);
            }
            self.steps.push(Step::Rxx { qubits, theta: theta.abs() });
        } else {
            self.vanished = true;
        }
        for qubit in qubits {
            let waiting = &mut self.waiting[qubit as usize];
            let before = waiting.after.after(waiting.before);
            *waiting = Waiting { before, ..Waiting::NOTHING };
        }
    }

    /// Writes the rotation that waits on `qubit` in front of any interaction.
    fn write_rotation(&mut self, qubit: u32) {
        let before = &mut self.waiting[qubit as usize].before;
        let (theta, phi, lambda, alpha) = std::mem::replace(before, Rotation::IDENTITY).angles();
        if theta > NEGLIGIBLE {
            self.steps.push(Step::R { qubit, theta: theta.min(PI), phi });
        }
        if lambda.abs() > NEGLIGIBLE {
            self.steps.push(Step::Rz { qubit, phi: lambda });
        }
        self.phase += alpha;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(build: impl FnOnce(&mut Lowering)) -> Vec<Step> {
        let mut lowering = Lowering::new(2, true);
        build(&mut lowering);
        lowering.finish(|_| false).0
    }

    #[test]
    fn a_run_becomes_two_operations() {
        let run = steps(|lowering| {
            for k in 0..1000 {
                lowering.rotate(0, Rotation::u(0.1 * f64::from(k), 0.7, -0.3), 0.0);
            }
        });
        assert!(matches!(run[..], [Step::R { .. }, Step::Rz { .. }]));
    }

    #[test]
    fn inverses_vanish() {
        assert_eq!(
            steps(|lowering| {
                lowering.rotate(0, Rotation::r(0.3, 0.4), 0.0);
                lowering.rxx([0, 1], 0.7);
                lowering.rotate(1, Rotation::r(0.5, 0.0), 0.0);
                lowering.rxx([1, 0], -0.7);
                lowering.rotate(1, Rotation::r(-0.5, 0.0), 0.0);
                lowering.rotate(0, Rotation::r(-0.3, 0.4), 0.0);
            }),
            []
        );
    }

    #[test]
    fn interactions_merge_across_what_commutes_only() {
        let count = |rotation| {
            let steps = steps(|lowering| {
                lowering.rxx([0, 1], 0.4);
                lowering.rotate(0, rotation, 0.0);
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
        let mut lowering = Lowering::new(2, true);
        for qubit in 0..2 {
            lowering.rotate(qubit, Rotation::u(1.0, 0.5, 0.2), 0.0);
        }
        lowering.barrier(0, &[0, 1]);
        let (steps, _) = lowering.finish(|qubit| qubit == 1);
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
