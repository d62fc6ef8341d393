//! A template's gates, decomposed once: what remains for each set of angles.
//!
//! Decompositions of gates without free parameters do not depend on the angles, nor do the
//! decompositions of single-qubit gates. Rotations that [`Commuting`] would merge anyway are kept as
//! one product, whose factors it then gets in the same order: it makes the same circuit, bit for bit.

use crate::{
    Item,
    commuting::Commuting,
    compile::seen,
    gates::{Gate, GateSink, OneQubitGate, Variant},
    rotation::Rotation,
    template::Template,
    weyl::emit_unitary,
};

/// A rotation of a qubit.
#[derive(Clone, Copy, Debug)]
enum Factor {
    Known(OneQubitGate),
    /// The free gate with this index.
    Free(usize),
}

/// A step of the decomposed template, on wires.
#[derive(Clone, Debug)]
enum Step {
    /// A rotation on its own.
    Single(u32, Factor),
    /// The product of some rotations.
    Product(u32, Vec<Factor>),
    Rxx([u32; 2], f64),
    /// A free gate on several qubits, and its wires.
    Gate(usize, [u32; 4]),
    Barrier(Vec<u32>),
}

/// A decomposed template.
#[derive(Debug)]
pub(crate) struct Emission {
    num_qubits: u32,
    steps: Vec<Step>,
    num_barriers: usize,
    /// The wire on which each qubit ends.
    names: Vec<u32>,
}

impl Emission {
    /// Decomposes a template. Returns `None` if it depends on the angles which gates are seen.
    pub(crate) fn new(template: &Template) -> Option<Self> {
        let axis_is_free = |name: &[u8]| matches!(name, b"cu" | b"cu3");
        if template.free().iter().any(|(_, gate)| axis_is_free(&gate.name)) {
            return None;
        }
        let program = template.program();
        let mut free = vec![None; program.items.len()];
        for (place, (item, _)) in template.free().iter().enumerate() {
            free[*item] = Some(place);
        }
        let mut recorder = Recorder::new(program.num_qubits);
        for index in seen(program) {
            match (&program.items[index], free[index]) {
                (Item::Gate(Gate::Single { rotation, .. }, qubits), Some(place)) => {
                    let is_kept = !matches!(rotation, OneQubitGate::Other(_));
                    recorder.append(qubits[0], Factor::Free(place), is_kept);
                }
                (Item::Gate(gate, qubits), Some(place)) => {
                    recorder.free(place, &qubits[..gate.num_qubits()]);
                }
                (Item::Gate(gate, qubits), None) => gate.emit(qubits, &mut recorder),
                (Item::Unitary(unitary, qubits), _) => {
                    emit_unitary(unitary, *qubits, &mut recorder);
                }
                (Item::Barrier(qubits), _) => recorder.barrier(qubits),
            }
        }
        let Recorder { steps, names, num_barriers, .. } = recorder;
        Some(Self { num_qubits: program.num_qubits, steps, num_barriers, names })
    }

    /// Number of barriers.
    pub(crate) fn num_barriers(&self) -> usize {
        self.num_barriers
    }

    /// The gates with these angles.
    pub(crate) fn gathered(&self, template: &Template, angles: &[f64]) -> Commuting {
        let rotation = |factor: &Factor| match *factor {
            Factor::Known(gate) => gate,
            Factor::Free(place) => match template.free()[place].1.bound(angles) {
                Some(Gate::Single { rotation, .. }) => rotation,
                _ => OneQubitGate::Other(Rotation::IDENTITY),
            },
        };
        let mut commuting = Commuting::new(self.num_qubits, Variant::to_merge(0), self.steps.len());
        let mut num_barriers = 0;
        for step in &self.steps {
            match step {
                Step::Single(wire, factor) => commuting.rotate(*wire, rotation(factor)),
                Step::Product(wire, factors) => {
                    let product = factors.iter().map(|it| rotation(it).rotation());
                    let product = product.reduce(|product, next| next.after(product));
                    commuting.rotate(*wire, product.unwrap_or(Rotation::IDENTITY));
                }
                Step::Rxx(wires, theta) => commuting.rxx(*wires, *theta),
                Step::Gate(place, wires) => {
                    if let Some(gate) = template.free()[*place].1.bound(angles) {
                        gate.emit(wires, &mut commuting);
                    }
                }
                Step::Barrier(wires) => {
                    commuting.barrier(num_barriers, wires);
                    num_barriers += 1;
                }
            }
        }
        commuting.rename(&self.names);
        commuting
    }
}

/// Takes the decompositions of gates.
struct Recorder {
    steps: Vec<Step>,
    num_barriers: usize,
    names: Vec<u32>,
    /// The product that is open on each wire, by its step.
    open: Vec<Option<usize>>,
    /// Whether the last gate on each wire that is no rotation is a free one, which may end with a
    /// rotation: the next ones are factors of its product.
    after_free: Vec<bool>,
}

impl Recorder {
    fn new(num_qubits: u32) -> Self {
        let size = num_qubits as usize;
        Self {
            steps: Vec::new(),
            num_barriers: 0,
            names: (0..num_qubits).collect(),
            open: vec![None; size],
            after_free: vec![false; size],
        }
    }

    /// Appends a rotation; one that `is_kept` unless it follows a product.
    fn append(&mut self, qubit: u32, factor: Factor, is_kept: bool) {
        let wire = self.names[qubit as usize];
        if let Some(step) = self.open[wire as usize] {
            if let Step::Product(_, factors) = &mut self.steps[step] {
                factors.push(factor);
            }
        } else if is_kept || self.after_free[wire as usize] {
            self.steps.push(Step::Single(wire, factor));
        } else {
            self.open[wire as usize] = Some(self.steps.len());
            self.steps.push(Step::Product(wire, vec![factor]));
        }
    }

    /// Ends the products on these qubits before a gate; returns their wires.
    fn close(&mut self, qubits: &[u32], is_free: bool) -> Vec<u32> {
        let wires: Vec<_> = qubits.iter().map(|&qubit| self.names[qubit as usize]).collect();
        for &wire in &wires {
            self.open[wire as usize] = None;
            self.after_free[wire as usize] = is_free;
        }
        wires
    }

    /// Appends a free gate on several qubits.
    fn free(&mut self, place: usize, qubits: &[u32]) {
        let mut wires = [0; 4];
        wires[..qubits.len()].copy_from_slice(&self.close(qubits, true));
        self.steps.push(Step::Gate(place, wires));
    }

    fn barrier(&mut self, qubits: &[u32]) {
        let wires = self.close(qubits, false);
        self.steps.push(Step::Barrier(wires));
        self.num_barriers += 1;
    }
}

impl GateSink for Recorder {
    fn variant(&self) -> Variant {
        Variant::to_merge(0)
    }

    fn phase(&mut self, _: f64) {}

    fn rotate(&mut self, qubit: u32, gate: impl Into<OneQubitGate>) {
        let gate = gate.into();
        self.append(qubit, Factor::Known(gate), !matches!(gate, OneQubitGate::Other(_)));
    }

    fn rxx(&mut self, qubits: [u32; 2], theta: f64) {
        let wires = self.close(&qubits, false);
        self.steps.push(Step::Rxx([wires[0], wires[1]], theta));
    }

    fn relabel(&mut self, [first, second]: [u32; 2]) -> bool {
        self.names.swap(first as usize, second as usize);
        true
    }
}
