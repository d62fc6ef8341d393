//! Resynthesises runs of gates on the same two qubits where that saves RXX. SWAP exchanges names of
//! qubits.

use crate::{
    complex::{Matrix, identity, pair_matrix, product, rxx_matrix},
    gates::{GateSink, OneQubitGate, Variant},
    lower::Lowering,
    rotation::Rotation,
    weyl::{Weyl, emit_unitary},
};

/// What to do with gates on two qubits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// Keep each gate, decompose SWAP.
    Kept,
    /// Keep each gate, let SWAP exchange names.
    Relabelled,
    /// Resynthesise runs of gates.
    Resynthesised,
}

/// A gate of a run; the number is 0 or 1, for the first or second qubit of the run.
#[derive(Clone, Copy, Debug)]
enum Piece {
    OneQubit(usize, OneQubitGate),
    Rxx(f64),
}

#[derive(Debug)]
struct Run {
    qubits: [u32; 2],
    pieces: Vec<Piece>,
    interactions: usize,
}

/// Passes gates on to a lowering. Callers name qubits as at the beginning of the circuit; the
/// lowering works on wires.
#[derive(Debug)]
pub struct Blocks {
    lowering: Output,
    pairs: Pairs,
    /// The wire of each name where runs begin; exchanged by SWAP.
    names: Vec<u32>,
    /// The run that is open on each of those wires.
    open: Vec<Option<usize>>,
    runs: Vec<Run>,
    /// Whether a run was resynthesised.
    changed: bool,
}

/// The lowering, and the present wire of each wire on which runs begin: a run may exchange both.
#[derive(Debug)]
struct Output {
    lowering: Lowering,
    wires: Vec<u32>,
    relabel: bool,
    interactions: usize,
}

impl GateSink for Output {
    fn variant(&self) -> Variant {
        Variant::default()
    }

    fn phase(&mut self, alpha: f64) {
        self.lowering.phase(alpha);
    }

    fn rotate(&mut self, qubit: u32, gate: impl Into<OneQubitGate>) {
        self.lowering.rotate(self.wires[qubit as usize], gate);
    }

    fn rxx(&mut self, qubits: [u32; 2], theta: f64) {
        self.interactions += 1;
        self.lowering.rxx(qubits.map(|qubit| self.wires[qubit as usize]), theta);
    }

    fn relabel(&mut self, [first, second]: [u32; 2]) -> bool {
        if self.relabel {
            self.wires.swap(first as usize, second as usize);
        }
        self.relabel
    }
}

/// The outcome of [`Blocks`].
pub struct Finished {
    /// The circuit, on wires.
    pub lowering: Lowering,
    /// The wire on which each qubit ends.
    pub wires: Vec<u32>,
    /// Number of RXX passed to the lowering.
    pub interactions: usize,
    /// Whether a run was resynthesised.
    pub changed: bool,
}

impl Blocks {
    /// An empty circuit.
    pub fn new(num_qubits: u32, pairs: Pairs) -> Self {
        let names: Vec<_> = (0..num_qubits).collect();
        let lowering = Output {
            lowering: Lowering::new(num_qubits),
            wires: names.clone(),
            relabel: pairs != Pairs::Kept,
            interactions: 0,
        };
        let open = vec![None; names.len()];
        Self { lowering, pairs, names, open, runs: Vec::new(), changed: false }
    }

    /// Appends a barrier with a number; nothing is merged across it. Returns its wires.
    pub fn barrier(&mut self, number: usize, qubits: &[u32]) -> Vec<u32> {
        let begun = self.close_all(qubits);
        let wires: Vec<_> =
            begun.into_iter().map(|wire| self.lowering.wires[wire as usize]).collect();
        self.lowering.lowering.barrier(number, &wires);
        wires
    }

    /// Keeps the next gates on these qubits apart from the ones before.
    pub fn cut(&mut self, qubits: &[u32]) {
        let begun = self.close_all(qubits);
        for wire in begun {
            self.lowering.lowering.cut(&[self.lowering.wires[wire as usize]]);
        }
    }

    /// Ends all runs.
    pub fn finish(mut self) -> Finished {
        for wire in 0..self.open.len() {
            self.close(wire);
        }
        let output = self.lowering;
        Finished {
            lowering: output.lowering,
            wires: self.names.iter().map(|&wire| output.wires[wire as usize]).collect(),
            interactions: output.interactions,
            changed: self.changed,
        }
    }

    /// Ends the runs on these qubits and returns the wires on which they begin.
    fn close_all(&mut self, qubits: &[u32]) -> Vec<u32> {
        let wires: Vec<_> = qubits.iter().map(|&qubit| self.names[qubit as usize]).collect();
        for &wire in &wires {
            self.close(wire as usize);
        }
        wires
    }

    fn close(&mut self, wire: usize) {
        let Some(number) = self.open[wire] else { return };
        let run = &mut self.runs[number];
        for qubit in run.qubits {
            self.open[qubit as usize] = None;
        }
        if run.interactions > 1 {
            let unitary = run.unitary();
            let weyl = Weyl::new(&unitary);
            let fewest = weyl.num_interactions().min(weyl.num_interactions_swapped());
            if fewest < run.interactions {
                emit_unitary(&unitary, run.qubits, &mut self.lowering);
                run.pieces.clear();
                self.changed = true;
            }
        }
        for piece in run.pieces.drain(..) {
            match piece {
                Piece::OneQubit(which, gate) => {
                    self.lowering.rotate(run.qubits[which], gate);
                }
                Piece::Rxx(theta) => self.lowering.rxx(run.qubits, theta),
            }
        }
    }
}

impl GateSink for Blocks {
    fn variant(&self) -> Variant {
        Variant::default()
    }

    fn phase(&mut self, alpha: f64) {
        self.lowering.phase(alpha);
    }

    fn rotate(&mut self, qubit: u32, gate: impl Into<OneQubitGate>) {
        let wire = self.names[qubit as usize];
        if let Some(number) = self.open[wire as usize] {
            let run = &mut self.runs[number];
            let which = usize::from(run.qubits[0] != wire);
            run.pieces.push(Piece::OneQubit(which, gate.into()));
        } else {
            self.lowering.rotate(wire, gate);
        }
    }

    fn rxx(&mut self, qubits: [u32; 2], theta: f64) {
        let wires = qubits.map(|qubit| self.names[qubit as usize]);
        if self.pairs != Pairs::Resynthesised {
            self.lowering.rxx(wires, theta);
            return;
        }
        let [first, second] = wires.map(|wire| self.open[wire as usize]);
        let number = match first {
            Some(number) if second == first => number,
            _ => {
                self.close_all(&qubits);
                let run = Run { qubits: wires, pieces: Vec::with_capacity(8), interactions: 0 };
                let number = self.runs.len();
                self.runs.push(run);
                self.open[wires[0] as usize] = Some(number);
                self.open[wires[1] as usize] = Some(number);
                number
            }
        };
        let run = &mut self.runs[number];
        run.pieces.push(Piece::Rxx(theta));
        run.interactions += 1;
    }

    fn relabel(&mut self, [first, second]: [u32; 2]) -> bool {
        let relabel = self.pairs != Pairs::Kept;
        if relabel {
            self.names.swap(first as usize, second as usize);
        }
        relabel
    }
}

impl Run {
    /// The matrix of all gates; the first qubit is the higher bit of the indices.
    fn unitary(&self) -> Matrix<4> {
        self.pieces.iter().fold(identity(), |unitary, piece| {
            let gate = match *piece {
                Piece::OneQubit(0, gate) => pair_matrix(gate.rotation(), Rotation::IDENTITY),
                Piece::OneQubit(_, gate) => pair_matrix(Rotation::IDENTITY, gate.rotation()),
                Piece::Rxx(theta) => rxx_matrix(theta),
            };
            product(&gate, &unitary)
        })
    }
}
