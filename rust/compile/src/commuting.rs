//! Merges RXX on the same qubits across other RXX.
//!
//! All X⊗X commute, whatever their qubits. So RXX merges with an earlier RXX on its qubits if, on
//! both qubits, only RXX and rotations that commute or anticommute with X lie between the two.

use crate::{
    gates::{GateSink, OneQubitGate, Variant},
    rotation::{Rotation, without_turns},
};

/// A gate or barrier of the circuit.
#[derive(Clone, Debug)]
enum Gathered {
    OneQubit(u32, OneQubitGate),
    Rxx([u32; 2], f64),
    Barrier(usize, Vec<u32>),
}

/// The RXX on a wire that the next RXX commutes with.
#[derive(Clone, Debug)]
struct Group {
    /// The place of the last gate on the wire, if that is a rotation of which no angle is kept.
    merging: Option<usize>,
    /// The product of the rotations after the last of them.
    since: Rotation,
    /// Their places, and the sign of X when commuted back to them.
    members: Vec<(usize, f64)>,
}

/// Gathers the gates of a circuit and passes on fewer of them. SWAP exchanges names of qubits.
#[derive(Debug)]
pub struct Commuting {
    gathered: Vec<Gathered>,
    groups: Vec<Group>,
    names: Vec<u32>,
    variant: Variant,
    phase: f64,
}

impl Commuting {
    /// An empty circuit with room for some gates; `variant` chooses the decompositions of its gates.
    pub fn new(num_qubits: u32, variant: Variant, room: usize) -> Self {
        let group = Group { merging: None, since: Rotation::IDENTITY, members: Vec::new() };
        let names: Vec<_> = (0..num_qubits).collect();
        let gathered = Vec::with_capacity(room);
        Self { gathered, groups: vec![group; names.len()], names, variant, phase: 0.0 }
    }

    /// Appends a barrier with a number; nothing is merged across it.
    pub fn barrier(&mut self, number: usize, qubits: &[u32]) {
        let wires: Vec<_> = qubits.iter().map(|&qubit| self.names[qubit as usize]).collect();
        for &wire in &wires {
            let group = &mut self.groups[wire as usize];
            group.members.clear();
            group.merging = None;
        }
        self.gathered.push(Gathered::Barrier(number, wires));
    }

    /// Sets the wire of each qubit, of a circuit whose qubits were named after their wires.
    pub fn rename(&mut self, names: &[u32]) {
        self.names.copy_from_slice(names);
    }

    /// Passes everything on; returns the wire on which each qubit ends.
    pub fn replay<S: GateSink>(
        self,
        sink: &mut S,
        mut barrier: impl FnMut(&mut S, usize, &[u32]),
    ) -> Vec<u32> {
        sink.phase(self.phase);
        for gathered in self.gathered {
            match gathered {
                Gathered::OneQubit(wire, gate) => sink.rotate(wire, gate),
                Gathered::Rxx(wires, theta) => sink.rxx(wires, theta),
                Gathered::Barrier(number, wires) => barrier(sink, number, &wires),
            }
        }
        self.names
    }
}

impl GateSink for Commuting {
    fn variant(&self) -> Variant {
        self.variant
    }

    fn phase(&mut self, alpha: f64) {
        self.phase += without_turns(alpha);
    }

    fn rotate(&mut self, qubit: u32, gate: impl Into<OneQubitGate>) {
        let gate = gate.into();
        let wire = self.names[qubit as usize];
        let group = &mut self.groups[wire as usize];
        let rotation = gate.rotation();
        group.since = rotation.after(group.since);
        if let Some(place) = group.merging
            && let Gathered::OneQubit(_, OneQubitGate::Other(before)) = &mut self.gathered[place]
        {
            *before = rotation.after(*before);
            return;
        }
        if let OneQubitGate::Other(_) = gate {
            group.merging = Some(self.gathered.len());
        }
        self.gathered.push(Gathered::OneQubit(wire, gate));
    }

    fn rxx(&mut self, qubits: [u32; 2], theta: f64) {
        let wires = qubits.map(|qubit| self.names[qubit as usize]);
        for wire in wires {
            let group = &mut self.groups[wire as usize];
            group.merging = None;
            match std::mem::replace(&mut group.since, Rotation::IDENTITY).sign_of_x() {
                Some(sign) => group.members.iter_mut().for_each(|member| member.1 *= sign),
                None => group.members.clear(),
            }
        }
        let [first, second] = wires.map(|wire| &self.groups[wire as usize].members);
        let earlier = first.iter().find_map(|&(place, sign)| {
            let (_, other) = second.iter().find(|member| member.0 == place)?;
            Some((place, sign * other))
        });
        if let Some((place, sign)) = earlier {
            if let Gathered::Rxx(_, earlier) = &mut self.gathered[place] {
                *earlier = without_turns(*earlier) + sign * without_turns(theta);
            }
            return;
        }
        for wire in wires {
            self.groups[wire as usize].members.push((self.gathered.len(), 1.0));
        }
        self.gathered.push(Gathered::Rxx(wires, theta));
    }

    fn relabel(&mut self, [first, second]: [u32; 2]) -> bool {
        self.names.swap(first as usize, second as usize);
        true
    }
}
