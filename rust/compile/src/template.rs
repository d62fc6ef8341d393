//! Programs with free angles.

use crate::{Item, Program, gates::Gate};

/// A parameter of a gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Param {
    /// A number: an angle in radians.
    Value(f64),
    /// The angle with this index in each set.
    Angle(u32),
}

/// A standard gate with a free parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct FreeGate {
    /// Qiskit's name of the gate.
    pub name: Vec<u8>,
    /// Its qubits, at most 4.
    pub qubits: Vec<u32>,
    /// Its parameters, at most 4.
    pub params: Vec<Param>,
}

impl FreeGate {
    /// The gate with these angles.
    pub(crate) fn bound(&self, angles: &[f64]) -> Option<Gate> {
        let mut params = [0.0; 4];
        for (place, param) in params.iter_mut().zip(&self.params) {
            *place = match *param {
                Param::Value(value) => value,
                Param::Angle(angle) => angles[angle as usize],
            };
        }
        Gate::standard(&self.name, self.qubits.len(), &params[..self.params.len()])
    }
}

/// A program with free angles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    program: Program,
    /// The gates with free parameters, by the indices of their items.
    free: Vec<(usize, FreeGate)>,
    num_angles: usize,
}

impl Template {
    /// A program in which the items with these indices stand for gates with free parameters: gates of
    /// the same kind, with angles that nothing is special about.
    ///
    /// Returns `None` if a gate is no standard gate on as many different qubits of the program, or
    /// if no gate of its kind on its qubits stands for it.
    #[must_use]
    pub fn new(program: Program, free: Vec<(usize, FreeGate)>) -> Option<Self> {
        let mut template = Self { program, free, num_angles: 0 };
        let zeros = |gate: &FreeGate| gate.params.iter().map(|_| 0.0).collect::<Vec<_>>();
        for (index, gate) in &template.free {
            let known = Gate::standard(&gate.name, gate.qubits.len(), &zeros(gate))?;
            let mut qubits = [0; 4];
            qubits[..gate.qubits.len()].copy_from_slice(&gate.qubits);
            let stands_for_it = |item: &Item| {
                matches!(item, Item::Gate(it, on)
                if it.num_qubits() == known.num_qubits() && *on == qubits)
            };
            let fits = template.program.items.get(*index).is_some_and(stands_for_it)
                && gate.qubits.len() == known.num_qubits()
                && are_different(&gate.qubits, template.program.num_qubits);
            if !fits {
                return None;
            }
            for param in &gate.params {
                if let Param::Angle(angle) = *param {
                    template.num_angles = template.num_angles.max(angle as usize + 1);
                }
            }
        }
        Some(template)
    }

    /// The program; the gates with free parameters have no meaning in it.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The gates with free parameters, by the indices of their items.
    #[must_use]
    pub fn free(&self) -> &[(usize, FreeGate)] {
        &self.free
    }

    /// Number of angles that each set needs.
    #[must_use]
    pub fn num_angles(&self) -> usize {
        self.num_angles
    }
}

/// Whether the qubits of a gate differ and are below `num_qubits`.
#[must_use]
pub fn are_different(qubits: &[u32], num_qubits: u32) -> bool {
    (0..).zip(qubits).all(|(place, qubit)| *qubit < num_qubits && !qubits[..place].contains(qubit))
}
