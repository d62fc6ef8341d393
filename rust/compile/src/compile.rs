//! A circuit of any gates → AQT's operations.
//!
//! [`crate::gates`] decomposes the gates, `commuting` merges RXX on the same two qubits, `blocks`
//! resynthesises runs on two qubits, and [`crate::lower`] merges the rest.

use crate::{
    blocks::{Blocks, Pairs},
    commuting::Commuting,
    complex::Matrix,
    gates::{Gate, GateSink, OneQubitGate, Variant},
    lower::{Lowered, Step},
    weyl::emit_unitary,
};

/// A circuit of any gates, without its final measurements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// Size of the register.
    pub num_qubits: u32,
    /// Gates and barriers, in order.
    pub items: Vec<Item>,
    /// Whether each qubit is measured at the end.
    pub measured: Vec<bool>,
}

/// A gate or barrier of a [`Program`].
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A standard gate and its qubits; entries beyond its number of qubits have no meaning.
    Gate(Gate, [u32; 4]),
    /// A unitary matrix; the first qubit is the higher bit of the indices.
    Unitary(Box<Matrix<4>>, [u32; 2]),
    /// A barrier.
    Barrier(Vec<u32>),
}

/// How much to do to shorten a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Keep gates apart.
    None,
    /// Merge gates, let SWAP exchange names, drop what no measurement depends on.
    Merge,
    /// Also resynthesise runs of gates on two qubits.
    Resynthesise,
    /// Also search the best of several decompositions.
    Search,
}

/// A compiled circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// Operations and barriers, on wires.
    pub steps: Vec<Step>,
    /// The wires of each barrier, by its number: its index among the program's barriers.
    pub barriers: Vec<Vec<u32>>,
    /// The global phase in radians.
    pub phase: f64,
    /// The wire on which each qubit ends; it begins on the wire of its own number.
    pub wires: Vec<u32>,
}

/// Compiles a circuit.
#[must_use]
pub fn compile(program: &Program, effort: Effort) -> Compiled {
    match effort {
        Effort::None => one_by_one(program),
        Effort::Merge => merged(program),
        Effort::Resynthesise => resynthesised(program, Variant::to_merge(0)),
        Effort::Search => {
            let has_variants =
                |item: &Item| matches!(item, Item::Gate(gate, _) if gate.has_variants());
            let any = program.items.iter().any(has_variants);
            let first = resynthesised(program, Variant::to_merge(0));
            (1..if any { Variant::COUNT } else { Variant::FEW }).fold(first, |best, number| {
                let next = resynthesised(program, Variant::to_merge(number));
                if next.cost() < best.cost() { next } else { best }
            })
        }
    }
}

impl Compiled {
    /// Numbers of RXX, of pulses (R and RXX) and of operations, to be compared in this order.
    #[must_use]
    pub fn cost(&self) -> [usize; 3] {
        self.steps.iter().fold([0; 3], |[interactions, pulses, operations], step| match step {
            Step::Rxx { .. } => [interactions + 1, pulses + 1, operations + 1],
            Step::R { .. } => [interactions, pulses + 1, operations + 1],
            _ => [interactions, pulses, operations + 1],
        })
    }
}

fn one_by_one(program: &Program) -> Compiled {
    let mut blocks = Blocks::new(program.num_qubits, Pairs::Kept);
    let mut barriers = Vec::new();
    for item in &program.items {
        match item {
            Item::Gate(gate, qubits) => {
                gate.emit(qubits, &mut blocks);
                blocks.cut(&qubits[..gate.num_qubits()]);
            }
            Item::Unitary(unitary, qubits) => {
                emit_unitary(unitary, *qubits, &mut blocks);
                blocks.cut(qubits);
            }
            Item::Barrier(qubits) => barriers.push(blocks.barrier(barriers.len(), qubits)),
        }
    }
    finish(blocks, barriers, |_| false).0
}

fn merged(program: &Program) -> Compiled {
    let mut blocks = Blocks::new(program.num_qubits, Pairs::Relabelled);
    let mut barriers = Vec::new();
    for index in seen(program) {
        match &program.items[index] {
            Item::Gate(gate, qubits) => gate.emit(qubits, &mut blocks),
            Item::Unitary(unitary, qubits) => emit_unitary(unitary, *qubits, &mut blocks),
            Item::Barrier(qubits) => barriers.push(blocks.barrier(barriers.len(), qubits)),
        }
    }
    finish(blocks, barriers, |qubit| program.measured[qubit]).0
}

/// The compiled circuit, with runs on two qubits resynthesised.
fn resynthesised(program: &Program, variant: Variant) -> Compiled {
    let mut commuting = Commuting::new(program.num_qubits, variant, 3 * program.items.len());
    let mut num_barriers = 0;
    for index in seen(program) {
        match &program.items[index] {
            Item::Gate(gate, qubits) => gate.emit(qubits, &mut commuting),
            Item::Unitary(unitary, qubits) => emit_unitary(unitary, *qubits, &mut commuting),
            Item::Barrier(qubits) => {
                commuting.barrier(num_barriers, qubits);
                num_barriers += 1;
            }
        }
    }
    shortened(commuting, num_barriers, program)
}

/// The compiled circuit of gates that were gathered, compiled until nothing gets shorter.
pub(crate) fn shortened(commuting: Commuting, num_barriers: usize, program: &Program) -> Compiled {
    let (mut compiled, mut again) = in_blocks(commuting, num_barriers, &program.measured);
    while again {
        again = repeat(&mut compiled, program);
    }
    compiled
}

/// Compiles a compiled circuit again; false if nothing got shorter.
fn repeat(compiled: &mut Compiled, program: &Program) -> bool {
    let mut commuting =
        Commuting::new(program.num_qubits, Variant::default(), compiled.steps.len());
    for step in &compiled.steps {
        match *step {
            Step::R { qubit, theta, phi } => commuting.rotate(qubit, OneQubitGate::R(theta, phi)),
            Step::Rz { qubit, phi } => commuting.rotate(qubit, OneQubitGate::Rz(phi)),
            Step::Rxx { qubits, theta } => commuting.rxx(qubits, theta),
            Step::Barrier(number) | Step::Opaque(number) => {
                commuting.barrier(number, &compiled.barriers[number]);
            }
        }
    }
    let mut measured = vec![false; program.measured.len()];
    for (&wire, &is_measured) in compiled.wires.iter().zip(&program.measured) {
        measured[wire as usize] = is_measured;
    }
    let (next, again) = in_blocks(commuting, compiled.barriers.len(), &measured);
    let wires = compiled.wires.iter().map(|&wire| next.wires[wire as usize]).collect();
    *compiled = Compiled { phase: compiled.phase + next.phase, wires, ..next };
    again
}

/// Resynthesises runs on two qubits; also returns whether a repetition may find more.
fn in_blocks(commuting: Commuting, num_barriers: usize, measured: &[bool]) -> (Compiled, bool) {
    let mut blocks =
        Blocks::new(u32::try_from(measured.len()).unwrap_or(u32::MAX), Pairs::Resynthesised);
    let mut barriers = vec![Vec::new(); num_barriers];
    let names = commuting.replay(&mut blocks, |blocks, number, wires| {
        barriers[number] = blocks.barrier(number, wires);
    });
    let mut last = vec![false; names.len()];
    for (&name, &is_measured) in names.iter().zip(measured) {
        last[name as usize] = is_measured;
    }
    let (compiled, again) = finish(blocks, barriers, |name| last[name]);
    let wires = names.iter().map(|&name| compiled.wires[name as usize]).collect();
    (Compiled { wires, ..compiled }, again)
}

/// Indices of the items that an outcome or an unmeasured qubit depends on: not on a diagonal gate all
/// of whose qubits are measured next.
pub(crate) fn seen(program: &Program) -> impl Iterator<Item = usize> {
    let mut last = program.measured.clone();
    let mut seen = Vec::with_capacity(program.items.len());
    for (index, item) in program.items.iter().enumerate().rev() {
        let qubits = match item {
            Item::Gate(gate, qubits) => &qubits[..gate.num_qubits()],
            Item::Unitary(_, qubits) => &qubits[..],
            Item::Barrier(_) => &[],
        };
        match (item, qubits) {
            (Item::Gate(Gate::Swap, _), &[first, second]) => {
                last.swap(first as usize, second as usize);
            }
            (Item::Gate(gate, _), _)
                if gate.is_diagonal() && qubits.iter().all(|&qubit| last[qubit as usize]) =>
            {
                continue;
            }
            _ => qubits.iter().for_each(|&qubit| last[qubit as usize] = false),
        }
        seen.push(index);
    }
    seen.into_iter().rev()
}

/// The compiled circuit, and whether a repetition may find more. `measured` gets qubits of `blocks`.
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
    let Lowered { steps, phase, .. } = finished.lowering.finish(|wire| last[wire as usize]);
    let interactions = steps.iter().filter(|step| matches!(step, Step::Rxx { .. })).count();
    let again = finished.changed || interactions < finished.interactions;
    (Compiled { steps, barriers, phase, wires: finished.wires }, again)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(num_qubits: u32, gates: &[(&[u8], &[f64], &[u32])], measured: bool) -> Program {
        let items = gates
            .iter()
            .map(|&(name, params, on)| {
                if name == b"barrier" {
                    return Item::Barrier(on.to_vec());
                }
                let mut qubits = [0; 4];
                qubits[..on.len()].copy_from_slice(on);
                Item::Gate(Gate::standard(name, on.len(), params).unwrap(), qubits)
            })
            .collect();
        Program { num_qubits, items, measured: vec![measured; num_qubits as usize] }
    }

    #[test]
    fn swaps_exchange_names() {
        let moved = program(3, &[(b"swap", &[], &[0, 1]), (b"swap", &[], &[0, 2])], false);
        for effort in [Effort::Merge, Effort::Resynthesise, Effort::Search] {
            let compiled = compile(&moved, effort);
            assert_eq!((compiled.steps.len(), &compiled.wires[..]), (0, &[2, 0, 1][..]));
        }
        let compiled = compile(&moved, Effort::None);
        assert_eq!((compiled.cost()[0], &compiled.wires[..]), (6, &[0, 1, 2][..]));
    }

    #[test]
    fn barriers_stand_on_wires() {
        let walled = program(
            2,
            &[(b"swap", &[], &[0, 1]), (b"barrier", &[], &[0]), (b"rx", &[0.3], &[0])],
            false,
        );
        let compiled = compile(&walled, Effort::Resynthesise);
        assert_eq!(compiled.barriers, [[1]]);
        assert!(matches!(compiled.steps[..], [Step::Barrier(0), Step::R { qubit: 1, .. }]));
    }

    #[test]
    fn what_is_not_seen_is_dropped() {
        let gates: [(&[u8], &[f64], &[u32]); 4] = [
            (b"h", &[], &[0]),
            (b"cz", &[], &[0, 1]),
            (b"swap", &[], &[1, 2]),
            (b"ccz", &[], &[0, 1, 2]),
        ];
        assert_eq!(compile(&program(3, &gates, true), Effort::Merge).cost(), [0, 1, 1]);
        assert_eq!(compile(&program(3, &gates, false), Effort::Merge).cost()[0], 6);
        assert_eq!(compile(&program(3, &gates, true), Effort::None).cost()[0], 9);
    }

    #[test]
    fn commuting_gates_meet() {
        let gates: [(&[u8], &[f64], &[u32]); 5] = [
            (b"rzz", &[0.3], &[0, 1]),
            (b"rzz", &[0.4], &[1, 2]),
            (b"x", &[], &[1]),
            (b"cx", &[], &[0, 3]),
            (b"rzz", &[0.3], &[1, 0]),
        ];
        assert_eq!(compile(&program(4, &gates, false), Effort::Merge).cost()[0], 4);
        assert_eq!(compile(&program(4, &gates, false), Effort::Resynthesise).cost()[0], 2);
    }
}
