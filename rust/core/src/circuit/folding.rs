//! Folds angles into the ranges of a device, exactly up to global phase.
//!
//! What a folded gate leaves behind is a Pauli operator on its qubits, which moves on through the
//! gates that follow: it only changes signs and axes there. With k whole turns left out,
//!
//! - R(−θ, φ) = R(θ, φ + π);
//! - RXX(−θ) = Z · RXX(θ) · Z, with Z on one of the qubits: a Z before it, and one that moves on;
//! - RXX(θ) = X⊗X · RXX(θ − π) up to phase.
//!
//! An X that reaches the end of the circuit is absorbed by the last R of its qubit, as
//! X · R(θ, φ) = RZ(−2φ) · R(π − θ, φ + π) up to phase. Only a qubit without any R needs a pulse
//! more.

use std::f64::consts::PI;

use super::operation::{CLAMP_RADIANS, Gate, Operation, half_turns, half_turns_of};

/// Angles this small, in units of π, are left out.
const SMALL: f64 = CLAMP_RADIANS / PI;

/// A Pauli operator, up to phase: Y is X · Z.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Pauli {
    x: bool,
    z: bool,
}

/// The Pauli operators that follow what was folded so far.
#[derive(Debug)]
pub struct Folding {
    frame: Vec<Pauli>,
}

impl Folding {
    /// Nothing was folded yet.
    pub fn new(num_qubits: u32) -> Self {
        Self { frame: vec![Pauli::default(); num_qubits as usize] }
    }

    /// Appends a gate to the operations, folded. It is finite, and the circuit has its qubits.
    pub fn push(&mut self, gate: Gate, operations: &mut Vec<Operation>) {
        match gate {
            Gate::Rz { qubit, phi } => {
                let phi = if self.at(qubit).x { -phi } else { phi };
                operations.extend(Operation::rz(qubit, phi));
            }
            Gate::R { qubit, theta, phi } => self.push_r(qubit, theta, phi, operations),
            Gate::Rxx { qubits, theta } => self.push_rxx(qubits, theta, operations),
        }
    }

    fn push_r(&mut self, qubit: u32, theta: f64, phi: f64, operations: &mut Vec<Operation>) {
        let Pauli { x, z } = *self.at(qubit);
        if !(x || z)
            && let Ok(operation) = Operation::r(qubit, theta, phi)
        {
            operations.push(operation);
            return;
        }
        let theta = half_turns(theta);
        let mut phi = half_turns(phi);
        if x {
            phi = -phi;
        }
        if z != (theta < 0.0) {
            phi += 1.0;
        }
        let theta = theta.abs();
        if theta > SMALL {
            operations.push(Operation::R { qubit, phi: positive(phi), theta });
        }
    }

    fn push_rxx(&mut self, qubits: [u32; 2], theta: f64, operations: &mut Vec<Operation>) {
        let [a, b] = qubits;
        let flipped = self.at(a).z != self.at(b).z;
        if !flipped && let Ok(operation) = Operation::rxx(qubits, theta) {
            operations.push(operation);
            return;
        }
        let mut theta = half_turns(theta);
        if flipped {
            theta = -theta;
        }
        if theta.abs() > 0.5 + SMALL {
            theta -= 1_f64.copysign(theta);
            for qubit in qubits {
                self.at(qubit).x ^= true;
            }
        }
        if theta.abs() <= SMALL {
            return;
        }
        if theta < 0.0 {
            let ends_in_rz = |qubit| matches!(last(operations, qubit), Some(Operation::Rz { .. }));
            let qubit = if !ends_in_rz(a) && ends_in_rz(b) { b } else { a };
            rotate_z(operations, operations.len(), qubit, 1.0);
            self.at(qubit).z ^= true;
        }
        operations.push(Operation::Rxx { qubits, theta: theta.abs().min(0.5) });
    }

    /// Appends what is left.
    pub fn finish(self, operations: &mut Vec<Operation>) {
        for (qubit, Pauli { x, z }) in (0..).zip(self.frame) {
            if x && !absorb(operations, qubit) {
                let phi = if z { 0.5 } else { 0.0 };
                operations.push(Operation::R { qubit, phi, theta: 1.0 });
            } else if z {
                rotate_z(operations, operations.len(), qubit, 1.0);
            }
        }
    }

    fn at(&mut self, qubit: u32) -> &mut Pauli {
        &mut self.frame[qubit as usize]
    }
}

/// Has the last R of a qubit absorb an X after all operations. False if there is no R.
fn absorb(operations: &mut Vec<Operation>, qubit: u32) -> bool {
    let is_r =
        |operation: &Operation| matches!(*operation, Operation::R { qubit: q, .. } if q == qubit);
    let Some(place) = operations.iter().rposition(is_r) else { return false };
    for operation in &mut operations[place..] {
        match operation {
            Operation::Rz { qubit: q, phi } if *q == qubit => *phi = -*phi,
            _ => {}
        }
    }
    let Operation::R { phi, theta, .. } = operations[place] else { return false };
    rotate_z(operations, place + 1, qubit, -2.0 * phi);
    if theta < 1.0 - SMALL {
        operations[place] =
            Operation::R { qubit, phi: positive(half_turns_of(phi + 1.0)), theta: 1.0 - theta };
    } else {
        operations.remove(place);
    }
    true
}

/// Inserts RZ(`phi`), in units of π, at a place, or adds it to an RZ of the qubit beside it.
fn rotate_z(operations: &mut Vec<Operation>, place: usize, qubit: u32, phi: f64) {
    if half_turns_of(phi) == 0.0 {
        return;
    }
    let touches = |operation: &&mut Operation| operation.touches(qubit);
    let (before, after) = operations.split_at_mut(place);
    let neighbours = [before.iter_mut().rev().find(touches), after.iter_mut().find(touches)];
    for neighbour in neighbours.into_iter().flatten() {
        if let Operation::Rz { phi: merged, .. } = neighbour {
            *merged += phi;
            return;
        }
    }
    operations.insert(place, Operation::Rz { qubit, phi });
}

/// The last operation on a qubit.
fn last(operations: &[Operation], qubit: u32) -> Option<&Operation> {
    operations.iter().rev().find(|operation| operation.touches(qubit))
}

/// An axis of −2 to 2 half turns within 0 and 2.
fn positive(phi: f64) -> f64 {
    if phi < 0.0 { phi + 2.0 } else { phi + 0.0 } // −0 becomes 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(num_qubits: u32, gates: &[Gate]) -> Vec<Operation> {
        let mut folding = Folding::new(num_qubits);
        let mut operations = Vec::new();
        for &gate in gates {
            folding.push(gate, &mut operations);
        }
        folding.finish(&mut operations);
        operations
    }

    #[test]
    fn rxx_backwards_takes_two_rz_of_one_qubit() {
        let gates =
            [Gate::Rz { qubit: 1, phi: PI / 2.0 }, Gate::Rxx { qubits: [0, 1], theta: -1.0 }];
        assert_eq!(
            folded(2, &gates),
            [
                Operation::Rz { qubit: 1, phi: 1.5 },
                Operation::Rxx { qubits: [0, 1], theta: 1.0 / PI },
                Operation::Rz { qubit: 1, phi: 1.0 },
            ]
        );
    }

    #[test]
    fn frames_change_signs_and_axes_only() {
        let gates = [
            Gate::Rxx { qubits: [0, 1], theta: PI },
            Gate::Rz { qubit: 0, phi: PI / 4.0 },
            Gate::R { qubit: 0, theta: PI / 2.0, phi: PI / 4.0 },
            Gate::Rxx { qubits: [1, 0], theta: -PI },
        ];
        assert_eq!(
            folded(2, &gates),
            [
                Operation::Rz { qubit: 0, phi: -0.25 },
                Operation::R { qubit: 0, phi: 1.75, theta: 0.5 },
            ]
        );
    }

    #[test]
    fn a_pulse_of_half_a_turn_is_saved() {
        let gates = [
            Gate::R { qubit: 0, theta: PI, phi: 0.0 },
            Gate::Rxx { qubits: [0, 1], theta: PI },
            Gate::R { qubit: 1, theta: PI, phi: PI / 2.0 },
        ];
        assert_eq!(folded(2, &gates), [Operation::Rz { qubit: 1, phi: -1.0 }]);
    }

    #[test]
    fn large_angles_keep_their_digits() {
        let (sine, cosine) = 1e17_f64.sin_cos();
        let theta = half_turns(1e17) * PI;
        assert!((theta.sin() - sine).abs() < 1e-15 && (theta.cos() - cosine).abs() < 1e-15);
        assert!((half_turns(-3.0 * PI / 2.0) - 0.5).abs() < 1e-15);
    }
}
