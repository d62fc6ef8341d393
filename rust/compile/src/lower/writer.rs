//! Runs and events → steps.

use std::slice::Iter;

use super::{
    runs::{Event, Run, Runs},
    step::{Lowered, Step},
};
use crate::rotation::Angles;

/// The steps of all runs and events.
pub(super) fn write(runs: Runs) -> Lowered {
    let num_runs: usize = runs.by_qubit.iter().map(Vec::len).sum();
    let mut writer = Writer {
        runs: runs.by_qubit.iter().map(|runs| runs.iter()).collect(),
        lowered: Lowered {
            steps: Vec::with_capacity(runs.events.len() + 2 * num_runs),
            phase: runs.phase,
            rewritten: runs.rewritten,
        },
    };
    let mut walled = &runs.walled[..];
    for event in runs.events {
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
    let all: Vec<_> = (0..).take(runs.by_qubit.len()).collect();
    writer.write_runs(&all);
    writer.lowered
}

/// Writes each qubit's runs in order.
struct Writer<'a> {
    runs: Vec<Iter<'a, Run>>,
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
