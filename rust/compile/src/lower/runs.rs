//! The circuit while it is lowered: runs of single-qubit gates and the events between them.

use std::iter;

use super::step::Step;
use crate::rotation::{Angles, Rotation};

/// What separates a run from the one before it on its qubit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// An interaction, by its index among the events.
    Interaction(usize),
    /// A barrier, or the beginning of the circuit.
    Barrier,
    /// Any other operation.
    Opaque,
}

/// The single-qubit gates of a qubit between two of its events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub opening: Opening,
    pub rotation: Rotation,
    /// Its angles, if the source has them in the form of the output: if in range, they are kept to
    /// the last bit.
    pub written: Option<Angles>,
    /// Whether no outcome depends on its RZ.
    pub unseen: bool,
}

impl Run {
    fn new(opening: Opening) -> Self {
        let (rotation, written) = (Rotation::IDENTITY, Some(Angles::NONE));
        Self { opening, rotation, written, unseen: false }
    }

    pub fn append(&mut self, rotation: Rotation) {
        self.rotation = rotation.after(self.rotation);
        self.written = None;
    }

    pub fn prepend(&mut self, rotation: Rotation) {
        self.rotation = self.rotation.after(rotation);
        self.written = None;
    }
}

/// What ends runs, in order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// RXX(`theta`).
    Interaction { qubits: [u32; 2], theta: f64 },
    /// A barrier or another operation, on the next `num_qubits` of [`Runs::walled`].
    Wall { step: Step, num_qubits: usize },
    /// A boundary that no run crosses.
    Cut { qubit: u32 },
    /// An interaction that cancelled out.
    Vanished,
}

/// The runs of all qubits and the events that separate them.
#[derive(Debug)]
pub(super) struct Runs {
    /// The runs of each qubit; an event on the qubit closes one and opens the next.
    pub by_qubit: Vec<Vec<Run>>,
    pub events: Vec<Event>,
    /// Qubits of all [`Event::Wall`], in order.
    pub walled: Vec<u32>,
    /// The global phase in radians.
    pub phase: f64,
    /// Whether an interaction differs from the source's.
    pub rewritten: bool,
}

impl Runs {
    pub fn new(num_qubits: u32) -> Self {
        let first = || {
            let mut runs = Vec::with_capacity(16);
            runs.push(Run::new(Opening::Barrier));
            runs
        };
        let by_qubit = iter::repeat_with(first).take(num_qubits as usize).collect();
        Self { by_qubit, events: Vec::new(), walled: Vec::new(), phase: 0.0, rewritten: false }
    }

    /// The open run of a qubit.
    pub fn last(&mut self, qubit: u32) -> &mut Run {
        let runs = &mut self.by_qubit[qubit as usize];
        let last = runs.len() - 1;
        &mut runs[last]
    }

    pub fn open(&mut self, qubit: u32, opening: Opening) {
        self.by_qubit[qubit as usize].push(Run::new(opening));
    }

    /// Appends `rotation`; `write` maps the run's angles without it to those with it.
    pub fn append(
        &mut self,
        qubit: u32,
        rotation: Rotation,
        write: impl FnOnce(Angles) -> Option<Angles>,
    ) {
        let run = self.last(qubit);
        let written = run.written.and_then(write);
        run.append(rotation);
        run.written = written;
    }

    pub fn cut(&mut self, qubit: u32) {
        self.events.push(Event::Cut { qubit });
        self.open(qubit, Opening::Opaque);
    }

    /// Appends an operation that nothing is merged across.
    pub fn wall(&mut self, step: Step, qubits: &[u32], opening: Opening) {
        self.events.push(Event::Wall { step, num_qubits: qubits.len() });
        self.walled.extend(qubits);
        for &qubit in qubits {
            self.open(qubit, opening);
        }
    }
}
