//! A circuit of any gates → AQT's operations, without Python.
//!
//! Gates are taken apart by [`crate::decompose`], runs on two qubits go through [`crate::blocks`],
//! and [`crate::lower`] merges what is left.

use crate::{
    blocks::{Blocks, Pairs},
    complex::Matrix,
    decompose::{Gate, Sink},
    lower::{Rotation, Step},
    weyl::emit_unitary,
};

/// A circuit as it was read. Measurements, which come last, are not in it.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Size of the register.
    pub num_qubits: u32,
    /// Gates and barriers, in order.
    pub items: Vec<Item>,
    /// Whether each qubit is measured at the end.
    pub measured: Vec<bool>,
}

/// A gate or barrier of a [`Program`].
#[derive(Clone, Debug)]
pub enum Item {
    /// A standard gate; of the qubits, as many count as it has.
    Gate(Gate, [u32; 4]),
    /// A unitary matrix; the first qubit is the higher bit of its indices.
    Unitary(Box<Matrix<4>>, [u32; 2]),
    /// A barrier.
    Barrier(Vec<u32>),
}

/// How much is done to make a circuit shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Each gate on its own.
    None,
    /// Gates are merged, SWAP exchanges names, what no measurement sees is dropped.
    Merge,
    /// Runs of gates on two qubits are made anew as well.
    Resynthesise,
}

/// A compiled circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// Operations and barriers, on wires.
    pub steps: Vec<Step>,
    /// The wires of each barrier, by its number: its place among the barriers of the program.
    pub barriers: Vec<Vec<u32>>,
    /// The global phase in radians.
    pub phase: f64,
    /// The wire on which each qubit ends; it begins on that of its own number.
    pub wires: Vec<u32>,
}

/// Compiles a circuit.
#[must_use]
pub fn compile(program: &Program, effort: Effort) -> Compiled {
    match effort {
        Effort::None => one_by_one(program),
        Effort::Merge => merged(program, Pairs::Relabelled).0,
        Effort::Resynthesise => {
            let (mut compiled, mut again) = merged(program, Pairs::Resynthesised);
            while again {
                again = repeat(&mut compiled, program);
            }
            compiled
        }
    }
}

/// Where a gate ends if gates are taken one by one: a barrier without a number.
const GATE_ENDS: usize = usize::MAX;

fn one_by_one(program: &Program) -> Compiled {
    let mut blocks = Blocks::new(program.num_qubits, Pairs::Kept);
    let mut barriers = Vec::new();
    for item in &program.items {
        append(&mut blocks, &mut barriers, item);
        match item {
            Item::Gate(gate, qubits) => {
                blocks.barrier(GATE_ENDS, &qubits[..gate.num_qubits()]);
            }
            Item::Unitary(_, qubits) => {
                blocks.barrier(GATE_ENDS, qubits);
            }
            Item::Barrier(_) => {}
        }
    }
    let (mut compiled, _) = finish(blocks, barriers, |_| false);
    compiled.steps.retain(|step| *step != Step::Barrier(GATE_ENDS));
    compiled
}

/// The compiled circuit, and whether going over it again may find more.
fn merged(program: &Program, pairs: Pairs) -> (Compiled, bool) {
    let seen = seen(program);
    let mut blocks = Blocks::new(program.num_qubits, pairs);
    let mut barriers = Vec::new();
    for (item, seen) in program.items.iter().zip(seen) {
        if seen {
            append(&mut blocks, &mut barriers, item);
        }
    }
    finish(blocks, barriers, |qubit| program.measured[qubit])
}

/// Whether each item can change an outcome or an unmeasured qubit: a gate that turns nothing but the
/// phases of basis states cannot if all its qubits are measured next.
fn seen(program: &Program) -> Vec<bool> {
    let mut last = program.measured.clone();
    let mut seen: Vec<_> = program
        .items
        .iter()
        .rev()
        .map(|item| {
            let qubits = match item {
                Item::Gate(gate, qubits) => {
                    let qubits = &qubits[..gate.num_qubits()];
                    let on_last = qubits.iter().all(|&qubit| last[qubit as usize]);
                    if gate.is_diagonal() && on_last {
                        return false;
                    }
                    if let (Gate::Swap, &[first, second]) = (gate, qubits) {
                        last.swap(first as usize, second as usize);
                        return true;
                    }
                    qubits
                }
                Item::Unitary(_, qubits) => &qubits[..],
                Item::Barrier(_) => &[],
            };
            for &qubit in qubits {
                last[qubit as usize] = false;
            }
            true
        })
        .collect();
    seen.reverse();
    seen
}

fn append(blocks: &mut Blocks, barriers: &mut Vec<Vec<u32>>, item: &Item) {
    match item {
        Item::Gate(gate, qubits) => gate.emit(qubits, blocks),
        Item::Unitary(unitary, qubits) => emit_unitary(unitary, *qubits, blocks),
        Item::Barrier(qubits) => {
            let wires = blocks.barrier(barriers.len(), qubits);
            barriers.push(wires);
        }
    }
}

/// Goes over a compiled circuit again; false if there was nothing to find.
fn repeat(compiled: &mut Compiled, program: &Program) -> bool {
    let mut blocks = Blocks::new(program.num_qubits, Pairs::Resynthesised);
    let mut barriers = compiled.barriers.clone();
    for step in &compiled.steps {
        match *step {
            Step::R { qubit, theta, phi } => blocks.rotate(qubit, Rotation::r(theta, phi)),
            Step::Rz { qubit, phi } => blocks.rotate(qubit, Rotation::rz(phi)),
            Step::Rxx { qubits, theta } => blocks.rxx(qubits, theta),
            Step::Barrier(number) | Step::Opaque(number) => {
                barriers[number] = blocks.barrier(number, &compiled.barriers[number]);
            }
        }
    }
    let mut measured = vec![false; program.measured.len()];
    for (&wire, &is_measured) in compiled.wires.iter().zip(&program.measured) {
        measured[wire as usize] = is_measured;
    }
    let (next, again) = finish(blocks, barriers, |wire| measured[wire]);
    let wires = compiled.wires.iter().map(|&wire| next.wires[wire as usize]).collect();
    *compiled = Compiled { phase: compiled.phase + next.phase, wires, ..next };
    again
}

/// `measured` tells it for the qubits of `blocks`.
fn finish(
    blocks: Blocks,
    barriers: Vec<Vec<u32>>,
    measured: impl Fn(usize) -> bool,
) -> (Compiled, bool) {
    let finished = blocks.finish();
    let mut last = vec![false; finished.wires.len()];
    for (qubit, &wire) in finished.wires.iter().enumerate() {
        last[wire as usize] = measured(qubit);
    }
    let (steps, phase) = finished.lowering.finish(|wire| last[wire as usize]);
    let interactions = steps.iter().filter(|step| matches!(step, Step::Rxx { .. })).count();
    let again = finished.changed || interactions < finished.interactions;
    let (phase, wires) = (finished.phase + phase, finished.wires);
    (Compiled { steps, barriers, phase, wires }, again)
}
