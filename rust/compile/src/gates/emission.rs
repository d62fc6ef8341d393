//! Decomposes gates into single-qubit rotations and RXX.
//!
//! A controlled rotation costs one RXX: C-exp(−iθ(n·σ)/2) = exp(−iθ(n·σ)/4)·exp(iθ Z⊗(n·σ)/4), and
//! any product of two Paulis is X⊗X in other frames. Gates with more controls follow A. Barenco et
//! al., Phys. Rev. A 52, 3457 (1995), sections 6 and 7: five RXX for two controls, 13 for three.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, FRAC_PI_8, PI};

use super::{geometry::Axis, sink::GateSink, table::Gate};
use crate::rotation::Rotation;

impl Gate {
    /// Decomposes the gate into `sink`.
    ///
    /// # Panics
    /// If there are fewer `qubits` than [`Self::num_qubits`].
    pub fn emit(&self, qubits: &[u32], sink: &mut impl GateSink) {
        match *self {
            Self::Phase(alpha) => sink.phase(alpha),
            Self::Single { rotation, phase } => {
                sink.phase(phase);
                sink.rotate(qubits[0], rotation);
            }
            Self::Pair { axes, theta } => rotate_pair([qubits[0], qubits[1]], axes, theta, sink),
            Self::Controlled { axis, theta, phase } => {
                controlled([qubits[0], qubits[1]], axis, theta, phase, sink);
            }
            Self::MultiControlled { axis, theta, controls } => {
                multi_controlled(&qubits[..=controls], axis, theta, sink);
            }
            Self::ExchangeLike { theta, beta, sign } => {
                let pair = [qubits[0], qubits[1]];
                let turned = if sign > 0.0 { pair[0] } else { pair[1] };
                // Qiskit's two gates rotate in opposite directions.
                sink.rotate(turned, Rotation::rz(sign * beta));
                rotate_pair(pair, [Axis::X; 2], theta / 2.0, sink);
                rotate_pair(pair, [Axis::Y; 2], sign * theta / 2.0, sink);
                sink.rotate(turned, Rotation::rz(-sign * beta));
            }
            Self::EchoedCrossResonance => {
                rotate_pair([qubits[0], qubits[1]], [Axis::Z, Axis::X], FRAC_PI_2, sink);
                x(qubits[0], sink);
            }
            Self::Swap => swap([qubits[0], qubits[1]], sink),
            Self::ISwap => iswap([qubits[0], qubits[1]], sink),
            Self::DoubleCx => {
                let [first, second] = [qubits[0], qubits[1]];
                if sink.relabel([first, second]) {
                    cx(first, second, sink);
                } else {
                    cx(first, second, sink);
                    cx(second, first, sink);
                }
            }
            Self::ControlledSwap => {
                let [control, mut first, mut second] = [qubits[0], qubits[1], qubits[2]];
                if sink.variant().exchanges_targets() {
                    (first, second) = (second, first);
                }
                cx(second, first, sink);
                multi_controlled(&[control, first, second], Axis::X, PI, sink);
                cx(second, first, sink);
            }
            Self::RelativeCcx => {
                let [outer, inner, target] = [qubits[0], qubits[1], qubits[2]];
                for rotation in [Step::H, Step::T(1.0), Step::Cx(inner), Step::T(-1.0)] {
                    rotation.emit(target, sink);
                }
                for rotation in [Step::Cx(outer), Step::T(1.0), Step::Cx(inner), Step::T(-1.0)] {
                    rotation.emit(target, sink);
                }
                Step::H.emit(target, sink);
            }
            Self::RelativeC3x => {
                let [a, b, c, target] = [qubits[0], qubits[1], qubits[2], qubits[3]];
                let ends = [Step::H, Step::T(1.0), Step::Cx(c), Step::T(-1.0), Step::H];
                let middle = [Step::Cx(a), Step::T(1.0), Step::Cx(b), Step::T(-1.0)];
                for step in ends.iter().chain(&middle).chain(&middle).chain(&ends) {
                    step.emit(target, sink);
                }
            }
        }
    }
}

/// A step of a gate with relative phases; all act on one target.
#[derive(Clone, Copy)]
enum Step {
    H,
    /// T or, with −1, its inverse.
    T(f64),
    /// CX from a control.
    Cx(u32),
}

impl Step {
    fn emit(self, target: u32, sink: &mut impl GateSink) {
        match self {
            Self::H => {
                sink.phase(FRAC_PI_2);
                sink.rotate(target, Axis::H.half_turn());
            }
            Self::T(sign) => {
                sink.phase(sign * FRAC_PI_8);
                sink.rotate(target, Rotation::rz(sign * FRAC_PI_4));
            }
            Self::Cx(control) => cx(control, target, sink),
        }
    }
}

/// exp(−iθ P⊗Q/2). Makes the angle of RXX positive, as devices demand. Where θ is −π/2, as for CX,
/// half turns about P and Q do so, which merge with neighbouring rotations about them. Elsewhere an
/// inverted frame does so, if there is a frame.
pub fn rotate_pair(
    qubits: [u32; 2],
    mut axes: [Axis; 2],
    mut theta: f64,
    sink: &mut impl GateSink,
) {
    let by_half_turns = !sink.variant().inverts_frame() && (theta + FRAC_PI_2).abs() < f64::EPSILON;
    if by_half_turns {
        // RXX(−π/2) = RXX(π/2)·RXX(−π), and RXX(−π) = −i·RX(π)⊗RX(π).
        theta = FRAC_PI_2;
        sink.phase(-FRAC_PI_2);
        for (qubit, axis) in qubits.into_iter().zip(axes) {
            sink.rotate(qubit, axis.half_turn());
        }
    } else if theta < 0.0
        && let Some(axis) = axes.iter_mut().find(|axis| **axis != Axis::X)
    {
        *axis = axis.opposite();
        theta = -theta;
    }
    let frames = axes.map(|axis| (axis != Axis::X).then(|| axis.frame()));
    for (qubit, frame) in qubits.into_iter().zip(frames) {
        if let Some([_, back]) = frame {
            sink.rotate(qubit, back);
        }
    }
    sink.rxx(qubits, theta);
    for (qubit, frame) in qubits.into_iter().zip(frames) {
        if let Some([into, _]) = frame {
            sink.rotate(qubit, into);
        }
    }
}

/// exp(i·phase)·exp(−iθP/2) on the second qubit where the first qubit is 1.
fn controlled(qubits: [u32; 2], axis: Axis, theta: f64, phase: f64, sink: &mut impl GateSink) {
    let [control, target] = qubits;
    rotate_pair(qubits, [Axis::Z, axis], -theta / 2.0, sink);
    sink.rotate(target, axis.turn(theta / 2.0));
    if phase != 0.0 {
        sink.phase(phase / 2.0);
        sink.rotate(control, Rotation::rz(phase));
    }
}

/// P^(θ/π) on the last qubit where the 1 to 3 controls before it are 1: one power for the parity of
/// each subset of the controls, in the order of a Gray code.
fn multi_controlled(qubits: &[u32], axis: Axis, theta: f64, sink: &mut impl GateSink) {
    let (&target, controls) = qubits.split_last().expect("a target");
    let mut share = theta;
    for _ in 1..controls.len() {
        share /= 2.0;
    }
    let power = |control: u32, sign: f64, sink: &mut _| {
        controlled([control, target], axis, sign * share, sign * share / 2.0, sink);
    };
    match *controls {
        [a] => power(a, 1.0, sink),
        [a, b] => {
            let variant = sink.variant();
            let [a, b] = if variant.exchanges_controls() { [b, a] } else { [a, b] };
            if variant.uses_six_cx() {
                return six_cx([a, b, target], axis, theta, sink);
            }
            if !variant.reverses() {
                power(b, 1.0, sink);
            }
            cx(a, b, sink);
            power(b, -1.0, sink);
            cx(a, b, sink);
            if variant.reverses() {
                power(b, 1.0, sink);
            }
            power(a, 1.0, sink);
        }
        [a, b, c] => {
            let variant = sink.variant();
            let [a, b] = if variant.exchanges_controls() { [b, a] } else { [a, b] };
            let [b, c] = if variant.reverses() { [c, b] } else { [b, c] };
            power(a, 1.0, sink);
            cx(a, b, sink);
            power(b, -1.0, sink);
            cx(a, b, sink);
            power(b, 1.0, sink);
            for (control, sign) in [(b, -1.0), (a, 1.0), (b, -1.0), (a, 1.0)] {
                cx(control, c, sink);
                power(c, sign, sink);
            }
        }
        _ => unreachable!("the table has no gates with more controls"),
    }
}

/// P^(θ/π) on the last qubit where the first two are 1, P = X or Z: powers for all parities of the
/// three qubits, after V. V. Shende and I. L. Markov, Quantum Inf. Comput. 9, 461 (2009).
fn six_cx<S: GateSink>([a, b, target]: [u32; 3], axis: Axis, theta: f64, sink: &mut S) {
    let flip_axis = if axis == Axis::X { Axis::Z } else { Axis::X };
    let power = |qubit: u32, axis: Axis, sign: f64, sink: &mut S| {
        let angle = sign * theta / 4.0;
        sink.phase(angle / 2.0);
        sink.rotate(qubit, axis.turn(angle));
    };
    for (control, sign) in [(b, -1.0), (a, 1.0), (b, -1.0), (a, 1.0)] {
        controlled([control, target], flip_axis, PI, FRAC_PI_2, sink);
        power(target, axis, sign, sink);
    }
    power(b, Axis::Z, 1.0, sink);
    cx(a, b, sink);
    power(b, Axis::Z, -1.0, sink);
    cx(a, b, sink);
    power(a, Axis::Z, 1.0, sink);
}

fn x(qubit: u32, sink: &mut impl GateSink) {
    sink.phase(FRAC_PI_2);
    sink.rotate(qubit, Rotation::r(PI, 0.0));
}

fn cx(control: u32, target: u32, sink: &mut impl GateSink) {
    controlled([control, target], Axis::X, PI, FRAC_PI_2, sink);
}

/// exp(iπ(XX + YY + ZZ)/4), up to the phase.
fn swap(qubits: [u32; 2], sink: &mut impl GateSink) {
    if sink.relabel(qubits) {
        return;
    }
    sink.phase(-FRAC_PI_4);
    for axis in [Axis::X, Axis::Y, Axis::Z] {
        rotate_pair(qubits, [axis; 2], -FRAC_PI_2, sink);
    }
}

/// exp(iπ(XX + YY)/4) = SWAP·exp(−iπZZ/4), up to the phase.
fn iswap(qubits: [u32; 2], sink: &mut impl GateSink) {
    if sink.relabel(qubits) {
        sink.phase(FRAC_PI_4);
        rotate_pair(qubits, [Axis::Z; 2], FRAC_PI_2, sink);
    } else {
        for axis in [Axis::X, Axis::Y] {
            rotate_pair(qubits, [axis; 2], -FRAC_PI_2, sink);
        }
    }
}
