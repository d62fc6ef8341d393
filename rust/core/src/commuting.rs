//! RXX on the same qubits with nothing but RXX in the same frames between them become one.
//!
//! All X⊗X commute, whatever their qubits. So a gate can be added to an earlier one on its qubits if
//! on either of them there is nothing but other RXX and rotations that have a sign with X.

use crate::{
    decompose::{Local, Sink, Ways},
    lower::{Rotation, without_turns},
};

/// A gate or barrier that was taken.
#[derive(Clone, Debug)]
enum Taken {
    Local(u32, Local),
    Rxx([u32; 2], f64),
    Barrier(usize, Vec<u32>),
}

/// RXX on a wire that the next one commutes with.
#[derive(Clone, Debug)]
struct Group {
    /// What came after the last of them.
    since: Rotation,
    /// Their places, and the sign that X gets on its way there.
    members: Vec<(usize, f64)>,
}

/// Takes the gates of a circuit and passes on fewer. SWAP exchanges names.
#[derive(Debug)]
pub struct Commuting {
    taken: Vec<Taken>,
    groups: Vec<Group>,
    names: Vec<u32>,
    ways: Ways,
    phase: f64,
}

impl Commuting {
    /// An empty circuit; `ways` are those that gates are to be made in.
    pub fn new(num_qubits: u32, ways: Ways) -> Self {
        let group = Group { since: Rotation::IDENTITY, members: Vec::new() };
        let names: Vec<_> = (0..num_qubits).collect();
        Self { taken: Vec::new(), groups: vec![group; names.len()], names, ways, phase: 0.0 }
    }

    /// Appends a barrier with a number, which nothing passes.
    pub fn barrier(&mut self, number: usize, qubits: &[u32]) {
        let wires: Vec<_> = qubits.iter().map(|&qubit| self.names[qubit as usize]).collect();
        for &wire in &wires {
            self.groups[wire as usize].members.clear();
        }
        self.taken.push(Taken::Barrier(number, wires));
    }

    /// Passes everything on; returns the wire of each qubit at the end.
    pub fn replay<S: Sink>(
        self,
        sink: &mut S,
        mut barrier: impl FnMut(&mut S, usize, &[u32]),
    ) -> Vec<u32> {
        sink.phase(self.phase);
        for taken in self.taken {
            match taken {
                Taken::Local(wire, gate) => sink.rotate(wire, gate),
                Taken::Rxx(wires, theta) => sink.rxx(wires, theta),
                Taken::Barrier(number, wires) => barrier(sink, number, &wires),
            }
        }
        self.names
    }
}

impl Sink for Commuting {
    fn ways(&self) -> Ways {
        self.ways
    }

    fn phase(&mut self, alpha: f64) {
        self.phase += without_turns(alpha);
    }

    fn rotate(&mut self, qubit: u32, gate: impl Into<Local>) {
        let gate = gate.into();
        let wire = self.names[qubit as usize];
        let group = &mut self.groups[wire as usize];
        group.since = gate.rotation().after(group.since);
        self.taken.push(Taken::Local(wire, gate));
    }

    fn rxx(&mut self, qubits: [u32; 2], theta: f64) {
        let wires = qubits.map(|qubit| self.names[qubit as usize]);
        for wire in wires {
            let group = &mut self.groups[wire as usize];
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
            if let Taken::Rxx(_, earlier) = &mut self.taken[place] {
                *earlier = without_turns(*earlier) + sign * without_turns(theta);
            }
            return;
        }
        for wire in wires {
            self.groups[wire as usize].members.push((self.taken.len(), 1.0));
        }
        self.taken.push(Taken::Rxx(wires, theta));
    }

    fn relabel(&mut self, [first, second]: [u32; 2]) -> bool {
        self.names.swap(first as usize, second as usize);
        true
    }
}
