//! Qiskit's standard gates as single-qubit rotations and RXX, by exact rules.
//!
//! A controlled rotation costs one RXX: C-exp(−iθ(n·σ)/2) = exp(−iθ(n·σ)/4)·exp(iθ Z⊗(n·σ)/4), and
//! any product of two Paulis is X⊗X in other frames. Gates with more controls follow A. Barenco et
//! al., Phys. Rev. A 52, 3457 (1995), sections 6 and 7: five RXX for two controls, 13 for three.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, FRAC_PI_4, FRAC_PI_8, PI};

use crate::lower::Rotation;

/// Which of several equally good ways gates are made; which is best depends on their neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ways(u8);

impl Ways {
    /// How many there are.
    pub const COUNT: u8 = 32;
    /// How many there are for circuits without gates of [`Gate::has_ways`].
    pub const FEW: u8 = 2;

    /// The ways with a number below [`Self::COUNT`], where runs on two qubits are made anew: from 0,
    /// which is most often the best, to the most unusual. Without, the default is best.
    #[must_use]
    pub fn to_merge(number: u8) -> Self {
        Self(number ^ 16)
    }

    /// Turn a frame over where RXX(−π/2) becomes RXX(π/2), instead of adding half turns.
    fn turned_over(self) -> bool {
        self.0 & 1 != 0
    }

    /// Exchange the first two controls of gates with several.
    fn exchanged(self) -> bool {
        self.0 & 2 != 0
    }

    /// Begin with the other end of gates with two controls, exchange the last two of three.
    fn reversed(self) -> bool {
        self.0 & 4 != 0
    }

    /// Make gates with two controls of six CX, some of which merge, instead of five RXX.
    fn of_six(self) -> bool {
        self.0 & 16 != 0
    }

    /// Exchange the targets of controlled SWAP.
    fn crossed(self) -> bool {
        self.0 & 8 != 0
    }
}

/// Takes the gates that others are made of.
pub trait Sink {
    /// Which ways are wanted.
    fn ways(&self) -> Ways;
    /// Multiplies by exp(iα), α in radians.
    fn phase(&mut self, alpha: f64);
    /// Appends a rotation.
    fn rotate(&mut self, qubit: u32, gate: impl Into<Local>);
    /// Appends RXX(`theta`), `theta` in radians.
    fn rxx(&mut self, qubits: [u32; 2], theta: f64);
    /// Appends SWAP by exchanging the names of two qubits; false if it must be made of gates.
    fn relabel(&mut self, qubits: [u32; 2]) -> bool;
}

/// A rotation of one qubit. What is one of AQT's gates keeps its angles to the last bit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Local {
    /// R(θ, φ), angles in radians.
    R(f64, f64),
    /// RZ(φ), φ in radians.
    Rz(f64),
    /// Any other one.
    Other(Rotation),
}

impl Local {
    /// The rotation.
    #[must_use]
    pub fn rotation(self) -> Rotation {
        match self {
            Self::R(theta, phi) => Rotation::r(theta, phi),
            Self::Rz(phi) => Rotation::rz(phi),
            Self::Other(rotation) => rotation,
        }
    }
}

impl From<Rotation> for Local {
    fn from(rotation: Rotation) -> Self {
        Self::Other(rotation)
    }
}

/// An axis of the Bloch sphere: a vector of length 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    x: f64,
    y: f64,
    z: f64,
}

impl Axis {
    /// The x axis.
    pub const X: Self = Self { x: 1.0, y: 0.0, z: 0.0 };
    /// The y axis.
    pub const Y: Self = Self { x: 0.0, y: 1.0, z: 0.0 };
    /// The z axis.
    pub const Z: Self = Self { x: 0.0, y: 0.0, z: 1.0 };
    /// The axis of Hadamard's gate, between x and z.
    const H: Self = Self { x: FRAC_1_SQRT_2, y: 0.0, z: FRAC_1_SQRT_2 };

    /// Axis and angle of a rotation.
    fn of(rotation: Rotation) -> (Self, f64) {
        // cos(θ/2) − i·sin(θ/2)·(n·σ).
        let Rotation { w, x, y, z } = rotation;
        let size = x.hypot(y).hypot(z);
        if size == 0.0 {
            return (Self::Z, 2.0 * size.atan2(w));
        }
        (Self { x: x / size, y: y / size, z: z / size }, 2.0 * size.atan2(w))
    }

    /// The other end of it.
    fn opposite(self) -> Self {
        Self { x: -self.x, y: -self.y, z: -self.z }
    }

    /// The rotation by `angle`, in radians.
    fn turn(self, angle: f64) -> Rotation {
        let (sine, w) = (angle / 2.0).sin_cos();
        Rotation { w, x: sine * self.x, y: sine * self.y, z: sine * self.z }
    }

    /// The rotation by π, which is −i times the Pauli of this axis.
    pub(crate) fn half_turn(self) -> Rotation {
        Rotation { w: 0.0, x: self.x, y: self.y, z: self.z }
    }

    /// A rotation that takes the x axis to this one, and its inverse.
    fn frame(self) -> [Rotation; 2] {
        if self.x < 0.0 {
            // Turned over first: the shortest way to here is the shorter, the better it is known.
            let [into, back] = self.opposite().frame();
            let over = Self::Y.half_turn();
            let under = Self::Y.opposite().half_turn();
            return [into.after(over), under.after(back)];
        }
        let size = (2.0 + 2.0 * self.x).sqrt();
        let [w, y, z] = [size / 2.0, -self.z / size, self.y / size];
        [Rotation { w, x: 0.0, y, z }, Rotation { w, x: 0.0, y: -y, z: -z }]
    }
}

/// A standard gate with its values; angles in radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// exp(iα) and nothing else.
    Phase(f64),
    /// exp(i·phase)·rotation on one qubit.
    Single {
        /// The rotation.
        rotation: Local,
        /// The phase.
        phase: f64,
    },
    /// exp(−iθ P⊗Q/2).
    Pair {
        /// Axes of P and Q.
        axes: [Axis; 2],
        /// The angle θ.
        theta: f64,
    },
    /// exp(i·phase)·exp(−iθ P/2) on the last of two qubits where the first one is 1.
    Controlled {
        /// Axis of P.
        axis: Axis,
        /// The angle θ.
        theta: f64,
        /// The phase.
        phase: f64,
    },
    /// The power P^(θ/π) of a Pauli on the last qubit where the other ones, 2 or 3, are 1.
    MultiControlled {
        /// Axis of P.
        axis: Axis,
        /// The angle θ.
        theta: f64,
        /// Number of controls.
        controls: usize,
    },
    /// exp(−iθ(XX ± YY)/4) with the first (+) or second (−) qubit turned by RZ(β) around it.
    ExchangeLike {
        /// The angle θ.
        theta: f64,
        /// The angle β.
        beta: f64,
        /// The sign.
        sign: f64,
    },
    /// ECR.
    EchoedCrossResonance,
    /// SWAP.
    Swap,
    /// iSWAP.
    ISwap,
    /// Two CX in opposite directions.
    DoubleCx,
    /// SWAP of the last two qubits where the first one is 1.
    ControlledSwap,
    /// CCX up to phases of the basis states (Margolus' gate).
    RelativeCcx,
    /// C3X up to phases of the basis states.
    RelativeC3x,
}

impl Gate {
    /// The single-qubit gate that Qiskit calls `name`, None if it knows none.
    #[must_use]
    pub fn single(name: &[u8], params: &[f64]) -> Option<Self> {
        let (rotation, phase) = match (name, params) {
            (b"rz", &[phi]) => {
                return Some(Self::Single { rotation: Local::Rz(phi), phase: 0.0 });
            }
            (b"r", &[theta, phi]) => {
                return Some(Self::Single { rotation: Local::R(theta, phi), phase: 0.0 });
            }
            (b"rx", &[theta]) => (Rotation::r(theta, 0.0), 0.0),
            (b"ry", &[theta]) => (Rotation::r(theta, FRAC_PI_2), 0.0),
            (b"p" | b"u1", &[phi]) => (Rotation::rz(phi), phi / 2.0),
            (b"u2", &[phi, lambda]) => {
                (Rotation::u(FRAC_PI_2, phi, lambda), f64::midpoint(phi, lambda))
            }
            (b"u" | b"u3", &[theta, phi, lambda]) => {
                (Rotation::u(theta, phi, lambda), f64::midpoint(phi, lambda))
            }
            (b"id", []) => (Rotation::IDENTITY, 0.0),
            (b"h", []) => (Rotation::u(FRAC_PI_2, 0.0, PI), FRAC_PI_2),
            (b"x", []) => (Rotation::r(PI, 0.0), FRAC_PI_2),
            (b"y", []) => (Rotation::r(PI, FRAC_PI_2), FRAC_PI_2),
            (b"z", []) => (Rotation::rz(PI), FRAC_PI_2),
            (b"s", []) => (Rotation::rz(FRAC_PI_2), FRAC_PI_4),
            (b"sdg", []) => (Rotation::rz(-FRAC_PI_2), -FRAC_PI_4),
            (b"t", []) => (Rotation::rz(FRAC_PI_4), FRAC_PI_8),
            (b"tdg", []) => (Rotation::rz(-FRAC_PI_4), -FRAC_PI_8),
            (b"sx", []) => (Rotation::r(FRAC_PI_2, 0.0), FRAC_PI_4),
            (b"sxdg", []) => (Rotation::r(-FRAC_PI_2, 0.0), -FRAC_PI_4),
            _ => return None,
        };
        Some(Self::Single { rotation: rotation.into(), phase })
    }

    /// The standard gate that Qiskit calls `name`, None if there is none on so many qubits with so
    /// many parameters.
    #[must_use]
    pub fn standard(name: &[u8], num_qubits: usize, params: &[f64]) -> Option<Self> {
        match num_qubits {
            0 => match (name, params) {
                (b"global_phase", &[alpha]) => Some(Self::Phase(alpha)),
                _ => None,
            },
            1 => Self::single(name, params),
            2 => Self::double(name, params),
            _ => Self::multiple(name, num_qubits, params),
        }
    }

    fn double(name: &[u8], params: &[f64]) -> Option<Self> {
        let pair = |first, second, theta| Self::Pair { axes: [first, second], theta };
        let controlled = |axis, theta, phase| Self::Controlled { axis, theta, phase };
        // The power of a Pauli P^(θ/π) is exp(iθ/2)·exp(−iθP/2).
        let power = |axis, theta: f64| controlled(axis, theta, theta / 2.0);
        let general = |theta, phi, lambda, gamma: f64| {
            let (axis, angle) = Axis::of(Rotation::u(theta, phi, lambda));
            controlled(axis, angle, gamma + f64::midpoint(phi, lambda))
        };
        Some(match (name, params) {
            (b"cx", []) => power(Axis::X, PI),
            (b"cy", []) => power(Axis::Y, PI),
            (b"cz", []) => power(Axis::Z, PI),
            (b"ch", []) => power(Axis::H, PI),
            (b"cs", []) => power(Axis::Z, FRAC_PI_2),
            (b"csdg", []) => power(Axis::Z, -FRAC_PI_2),
            (b"csx", []) => power(Axis::X, FRAC_PI_2),
            (b"cp" | b"cu1", &[theta]) => power(Axis::Z, theta),
            (b"crx", &[theta]) => controlled(Axis::X, theta, 0.0),
            (b"cry", &[theta]) => controlled(Axis::Y, theta, 0.0),
            (b"crz", &[theta]) => controlled(Axis::Z, theta, 0.0),
            (b"cu", &[theta, phi, lambda, gamma]) => general(theta, phi, lambda, gamma),
            (b"cu3", &[theta, phi, lambda]) => general(theta, phi, lambda, 0.0),
            (b"rxx", &[theta]) => pair(Axis::X, Axis::X, theta),
            (b"ryy", &[theta]) => pair(Axis::Y, Axis::Y, theta),
            (b"rzz", &[theta]) => pair(Axis::Z, Axis::Z, theta),
            (b"rzx", &[theta]) => pair(Axis::Z, Axis::X, theta),
            (b"xx_plus_yy", &[theta, beta]) => Self::ExchangeLike { theta, beta, sign: 1.0 },
            (b"xx_minus_yy", &[theta, beta]) => Self::ExchangeLike { theta, beta, sign: -1.0 },
            (b"ecr", []) => Self::EchoedCrossResonance,
            (b"swap", []) => Self::Swap,
            (b"iswap", []) => Self::ISwap,
            (b"dcx", []) => Self::DoubleCx,
            _ => return None,
        })
    }

    fn multiple(name: &[u8], num_qubits: usize, params: &[f64]) -> Option<Self> {
        let controls = num_qubits - 1;
        let power = |axis, theta| Self::MultiControlled { axis, theta, controls };
        Some(match (name, num_qubits, params) {
            (b"ccx", 3, []) | (b"mcx", 4, []) => power(Axis::X, PI),
            (b"ccz", 3, []) => power(Axis::Z, PI),
            (b"c3sx", 4, []) => power(Axis::X, FRAC_PI_2),
            (b"cswap", 3, []) => Self::ControlledSwap,
            (b"rccx", 3, []) => Self::RelativeCcx,
            (b"rcccx", 4, []) => Self::RelativeC3x,
            _ => return None,
        })
    }

    /// How many qubits it acts on.
    #[must_use]
    pub fn num_qubits(&self) -> usize {
        match self {
            Self::Phase(_) => 0,
            Self::Single { .. } => 1,
            Self::MultiControlled { controls, .. } => controls + 1,
            Self::ControlledSwap | Self::RelativeCcx => 3,
            Self::RelativeC3x => 4,
            _ => 2,
        }
    }

    /// Whether it only turns the phases of the basis states, so that no measurement sees it.
    #[must_use]
    pub fn is_diagonal(&self) -> bool {
        match self {
            Self::Pair { axes, .. } => *axes == [Axis::Z; 2],
            Self::Controlled { axis, .. } | Self::MultiControlled { axis, .. } => *axis == Axis::Z,
            _ => false,
        }
    }

    /// Whether all [`Ways`] make a difference, and not only the first few.
    #[must_use]
    pub fn has_ways(&self) -> bool {
        matches!(self, Self::MultiControlled { .. } | Self::ControlledSwap)
    }

    /// Hands over the gates that make it up.
    ///
    /// # Panics
    /// If there are fewer `qubits` than [`Self::num_qubits`].
    pub fn emit(&self, qubits: &[u32], sink: &mut impl Sink) {
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
                // Qiskit's two gates turn in opposite senses.
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
                if sink.ways().crossed() {
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

/// The steps of gates with relative phases, all on one target.
#[derive(Clone, Copy)]
enum Step {
    H,
    /// T or, with −1, its inverse.
    T(f64),
    /// CX from a control.
    Cx(u32),
}

impl Step {
    fn emit(self, target: u32, sink: &mut impl Sink) {
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

/// exp(−iθ P⊗Q/2). The angle of RXX gets the sign that devices want: where θ is −π/2, as of CX, by
/// half turns about P and Q, which the turns about them beside it take up; else by a frame that can
/// be turned over, if there is one.
pub fn rotate_pair(qubits: [u32; 2], mut axes: [Axis; 2], mut theta: f64, sink: &mut impl Sink) {
    let by_half_turns = !sink.ways().turned_over() && (theta + FRAC_PI_2).abs() < f64::EPSILON;
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

/// exp(i·phase)·exp(−iθP/2) on the second qubit where the first one is 1.
fn controlled(qubits: [u32; 2], axis: Axis, theta: f64, phase: f64, sink: &mut impl Sink) {
    let [control, target] = qubits;
    rotate_pair(qubits, [Axis::Z, axis], -theta / 2.0, sink);
    sink.rotate(target, axis.turn(theta / 2.0));
    if phase != 0.0 {
        sink.phase(phase / 2.0);
        sink.rotate(control, Rotation::rz(phase));
    }
}

/// P^(θ/π) on the last qubit where the other ones are 1, 1 to 3 of them: a power for the parity of
/// each subset of the controls, in the order of a Gray code.
fn multi_controlled(qubits: &[u32], axis: Axis, theta: f64, sink: &mut impl Sink) {
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
            let ways = sink.ways();
            let [a, b] = if ways.exchanged() { [b, a] } else { [a, b] };
            if ways.of_six() {
                return of_six_cx([a, b, target], axis, theta, sink);
            }
            if !ways.reversed() {
                power(b, 1.0, sink);
            }
            cx(a, b, sink);
            power(b, -1.0, sink);
            cx(a, b, sink);
            if ways.reversed() {
                power(b, 1.0, sink);
            }
            power(a, 1.0, sink);
        }
        [a, b, c] => {
            let ways = sink.ways();
            let [a, b] = if ways.exchanged() { [b, a] } else { [a, b] };
            let [b, c] = if ways.reversed() { [c, b] } else { [b, c] };
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
        _ => unreachable!("gates with more controls come as their definitions"),
    }
}

/// P^(θ/π) on the last qubit where the first two are 1, P = X or Z: powers for all parities of the
/// three qubits, after V. V. Shende and I. L. Markov, Quantum Inf. Comput. 9, 461 (2009).
fn of_six_cx<S: Sink>([a, b, target]: [u32; 3], axis: Axis, theta: f64, sink: &mut S) {
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

fn x(qubit: u32, sink: &mut impl Sink) {
    sink.phase(FRAC_PI_2);
    sink.rotate(qubit, Rotation::r(PI, 0.0));
}

fn cx(control: u32, target: u32, sink: &mut impl Sink) {
    controlled([control, target], Axis::X, PI, FRAC_PI_2, sink);
}

/// exp(iπ(XX + YY + ZZ)/4), but for the phase.
fn swap(qubits: [u32; 2], sink: &mut impl Sink) {
    if sink.relabel(qubits) {
        return;
    }
    sink.phase(-FRAC_PI_4);
    for axis in [Axis::X, Axis::Y, Axis::Z] {
        rotate_pair(qubits, [axis; 2], -FRAC_PI_2, sink);
    }
}

/// exp(iπ(XX + YY)/4) = SWAP·exp(−iπZZ/4), but for the phase.
fn iswap(qubits: [u32; 2], sink: &mut impl Sink) {
    if sink.relabel(qubits) {
        sink.phase(FRAC_PI_4);
        rotate_pair(qubits, [Axis::Z; 2], FRAC_PI_2, sink);
    } else {
        for axis in [Axis::X, Axis::Y] {
            rotate_pair(qubits, [axis; 2], -FRAC_PI_2, sink);
        }
    }
}
