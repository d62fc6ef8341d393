//! Any single-qubit gates and RXX → the fewest operations that AQT's interface accepts.
//!
//! A qubit's gates between two of its interactions are a *run*: one element of SU(2), written as
//! RZ(λ)·R(θ, φ) at the end. Interactions are merged as they come; when all are there their angles
//! are brought into range (`interactions`), then rotations about X are carried through them to
//! where they cost least (`carry`), then angles are taken (`rotation`).

mod carry;
mod interactions;
mod rotation;

use std::iter;

pub use self::rotation::Rotation;
pub(crate) use self::rotation::without_turns;
use self::{
    carry::{Carrier, End},
    rotation::Angles,
};
use crate::decompose::{Local, Sink, Ways};

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
    /// RZ(φ), −π < φ ≤ π.
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

/// What stands between a run and the one before it on its qubit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// An interaction, by its index among the events.
    Interaction(usize),
    /// A barrier, or nothing at all.
    Barrier,
    /// Something that is not known here.
    Opaque,
}

/// The single-qubit gates of a qubit between two of its events.
#[derive(Clone, Copy, Debug)]
struct Run {
    opening: Opening,
    rotation: Rotation,
    /// Its angles, if it was given as they are to be written: if they are in range, they are kept
    /// to the last bit.
    written: Option<Angles>,
    /// Whether its RZ changes no outcome.
    unseen: bool,
}

impl Run {
    fn new(opening: Opening) -> Self {
        let (rotation, written) = (Rotation::IDENTITY, Some(Angles::NONE));
        Self { opening, rotation, written, unseen: false }
    }

    fn append(&mut self, rotation: Rotation) {
        self.rotation = rotation.after(self.rotation);
        self.written = None;
    }

    fn prepend(&mut self, rotation: Rotation) {
        self.rotation = self.rotation.after(rotation);
        self.written = None;
    }
}

/// What ends runs, in order.
#[derive(Clone, Copy, Debug)]
enum Event {
    Interaction {
        qubits: [u32; 2],
        theta: f64,
    },
    /// A barrier or something opaque on this many of the qubits that walls stand on.
    Wall {
        step: Step,
        num_qubits: usize,
    },
    /// Nothing: a run is written for itself.
    Cut {
        qubit: u32,
    },
    /// An interaction that came to nothing.
    Vanished,
}

/// A lowered circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Lowered {
    /// All steps.
    pub steps: Vec<Step>,
    /// The global phase in radians.
    pub phase: f64,
    /// Whether a step was made anew. If not, all are gates as they came, in their order on each
    /// qubit; some gates may have been left out.
    pub rewritten: bool,
}

/// Takes the gates of a circuit in order and yields the steps of the lowered one.
#[derive(Debug)]
pub struct Lowering {
    /// The runs of each qubit; an event on it closes one and opens the next.
    runs: Vec<Vec<Run>>,
    events: Vec<Event>,
    /// Qubits of all walls, one after the other.
    walled: Vec<u32>,
    phase: f64,
    /// Whether an interaction is another than it came.
    rewritten: bool,
}

impl Lowering {
    /// An empty circuit on `num_qubits` qubits.
    #[must_use]
    pub fn new(num_qubits: u32) -> Self {
        let first = || {
            let mut runs = Vec::with_capacity(16);
            runs.push(Run::new(Opening::Barrier));
            runs
        };
        let runs = iter::repeat_with(first).take(num_qubits as usize).collect();
        Self { runs, events: Vec::new(), walled: Vec::new(), phase: 0.0, rewritten: false }
    }

    /// Appends `rotation`; `write` gives the run's angles with it, from those without it.
    fn append(
        &mut self,
        qubit: u32,
        rotation: Rotation,
        write: impl FnOnce(Angles) -> Option<Angles>,
    ) {
        let run = self.run(qubit);
        let written = run.written.and_then(write);
        run.append(rotation);
        run.written = written;
    }

    fn run(&mut self, qubit: u32) -> &mut Run {
        let runs = &mut self.runs[qubit as usize];
        let last = runs.len() - 1;
        &mut runs[last]
    }

    fn open(&mut self, qubit: u32, opening: Opening) {
        self.runs[qubit as usize].push(Run::new(opening));
    }

    /// What comes next on these qubits is not merged with what was before.
    ///
    /// # Panics
    /// If there is no such qubit, as in all methods.
    pub fn cut(&mut self, qubits: &[u32]) {
        for &qubit in qubits {
            self.events.push(Event::Cut { qubit });
            self.open(qubit, Opening::Opaque);
        }
    }

    /// Appends a barrier; nothing is merged across it.
    pub fn barrier(&mut self, number: usize, qubits: &[u32]) {
        self.wall(Step::Barrier(number), qubits, Opening::Barrier);
    }

    /// Appends something that stays as it is; nothing on its qubits is merged across it.
    pub fn opaque(&mut self, number: usize, qubits: &[u32]) {
        self.wall(Step::Opaque(number), qubits, Opening::Opaque);
    }

    fn wall(&mut self, step: Step, qubits: &[u32], opening: Opening) {
        self.events.push(Event::Wall { step, num_qubits: qubits.len() });
        self.walled.extend(qubits);
        for &qubit in qubits {
            self.open(qubit, opening);
        }
    }

    /// The lowered circuit.
    ///
    /// An RZ with nothing but barriers between it and the end of a qubit that is `measured` changes
    /// no outcome and is dropped.
    #[must_use]
    pub fn finish(mut self, measured: impl Fn(u32) -> bool) -> Lowered {
        self.make_positive();
        let mut carrier = Carrier::default();
        for (qubit, runs) in (0..).zip(&mut self.runs) {
            carry_all(&mut carrier, runs, measured(qubit));
        }
        self.write()
    }

    fn write(self) -> Lowered {
        let num_runs: usize = self.runs.iter().map(Vec::len).sum();
        let mut writer = Writer {
            runs: self.runs.iter().map(|runs| runs.iter()).collect(),
            lowered: Lowered {
                steps: Vec::with_capacity(self.events.len() + 2 * num_runs),
                phase: self.phase,
                rewritten: self.rewritten,
            },
        };
        let mut walled = &self.walled[..];
        for event in self.events {
            match event {
                Event::Interaction { qubits, theta } => {
                    writer.write_runs(&qubits);
                    writer.lowered.steps.push(Step::Rxx { qubits, theta });
                }
                Event::Wall { step, num_qubits } => {
                    let (qubits, rest) = walled.split_at(num_qubits);
                    walled = rest;
                    writer.write_runs(qubits);
                    writer.lowered.steps.push(step);
                }
                Event::Cut { qubit } => writer.write_runs(&[qubit]),
                Event::Vanished => {}
            }
        }
        let all: Vec<_> = (0..).take(self.runs.len()).collect();
        writer.write_runs(&all);
        writer.lowered
    }
}

impl Sink for Lowering {
    fn ways(&self) -> Ways {
        Ways::default()
    }

    fn phase(&mut self, alpha: f64) {
        self.phase += without_turns(alpha);
    }

    /// What stays on its own and in range stays as it is.
    fn rotate(&mut self, qubit: u32, gate: impl Into<Local>) {
        let gate = gate.into();
        self.append(qubit, gate.rotation(), |before| match gate {
            Local::R(theta, phi) if before == Angles::NONE => {
                Some(Angles { theta, phi, ..Angles::NONE })
            }
            Local::Rz(phi) if before.lambda == 0.0 => Some(Angles { lambda: phi, ..before }),
            _ => None,
        });
    }

    fn rxx(&mut self, qubits: [u32; 2], theta: f64) {
        self.interact(qubits, theta);
    }

    fn relabel(&mut self, _: [u32; 2]) -> bool {
        false
    }
}

/// Carries rotations about X through the interactions of one qubit, and finds the runs whose RZ
/// changes no outcome.
fn carry_all(carrier: &mut Carrier, runs: &mut [Run], measured: bool) {
    let mut unseen = measured;
    let mut rest = runs;
    while !rest.is_empty() {
        let opens = |run: &Run| !matches!(run.opening, Opening::Interaction(_));
        let start = rest.iter().rposition(opens).unwrap_or(0);
        let (before, chain) = rest.split_at_mut(start);
        let end = if unseen { End::Unseen } else { End::Seen };
        if chain.len() > 1 {
            carrier.carry(chain, end);
        }
        chain[chain.len() - 1].unseen = unseen;
        unseen &= chain.len() == 1
            && chain[0].opening == Opening::Barrier
            && chain[0].rotation.is_diagonal();
        rest = before;
    }
}

/// Writes each qubit's runs in order.
struct Writer<'a> {
    runs: Vec<std::slice::Iter<'a, Run>>,
    lowered: Lowered,
}

impl Writer<'_> {
    /// Writes the next run of each of these qubits.
    fn write_runs(&mut self, qubits: &[u32]) {
        for &qubit in qubits {
            let Some(run) = self.runs[qubit as usize].next() else { continue };
            let written = run.written.filter(|angles| angles.are_final());
            let Angles { theta, phi, lambda, alpha } =
                written.unwrap_or_else(|| run.rotation.angles());
            if theta != 0.0 {
                self.lowered.steps.push(Step::R { qubit, theta, phi });
            }
            if lambda != 0.0 && !run.unseen {
                self.lowered.steps.push(Step::Rz { qubit, phi: lambda });
            }
            self.lowered.phase += alpha;
            self.lowered.rewritten |= written.is_none();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, PI};

    use super::*;

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
