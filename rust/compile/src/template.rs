//! Programs with free angles: read once, compiled for any number of parameter sets.

use crate::{Compiled, Effort, Item, Program, compile, gates::Gate};

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

/// A program with free angles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    program: Program,
    /// The gates with free parameters, by the indices of their items.
    free: Vec<(usize, FreeGate)>,
    num_angles: usize,
}

impl Template {
    /// A program in which the items with these indices stand for gates with free parameters.
    ///
    /// Returns `None` if a gate is no standard gate on as many different qubits of the program, or
    /// if there is no item for it.
    #[must_use]
    pub fn new(program: Program, free: Vec<(usize, FreeGate)>) -> Option<Self> {
        let mut template = Self { program, free, num_angles: 0 };
        let zeros = |gate: &FreeGate| gate.params.iter().map(|_| 0.0).collect::<Vec<_>>();
        for (index, gate) in &template.free {
            let known = Gate::standard(&gate.name, gate.qubits.len(), &zeros(gate))?;
            let fits = *index < template.program.items.len()
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

/// Compiles a template for one set after the other.
#[derive(Debug)]
pub struct Binder<'a> {
    template: &'a Template,
    program: Program,
}

impl<'a> Binder<'a> {
    /// Copies the template's program once.
    #[must_use]
    pub fn new(template: &'a Template) -> Self {
        Self { template, program: template.program.clone() }
    }

    /// Compiles the program with these angles, in radians. It is the compiled circuit of the same
    /// program with numbers.
    ///
    /// # Panics
    /// If there are fewer than [`Template::num_angles`].
    pub fn compile(&mut self, angles: &[f64], effort: Effort) -> Compiled {
        for (index, gate) in &self.template.free {
            let mut params = [0.0; 4];
            for (place, param) in params.iter_mut().zip(&gate.params) {
                *place = match *param {
                    Param::Value(value) => value,
                    Param::Angle(angle) => angles[angle as usize],
                };
            }
            let mut qubits = [0; 4];
            qubits[..gate.qubits.len()].copy_from_slice(&gate.qubits);
            let bound = Gate::standard(&gate.name, gate.qubits.len(), &params[..gate.params.len()]);
            if let Some(bound) = bound {
                self.program.items[*index] = Item::Gate(bound, qubits);
            }
        }
        compile(&self.program, effort)
    }
}
