//! The standard gates by Qiskit's names.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, FRAC_PI_8, PI};

use super::{geometry::Axis, sink::OneQubitGate};
use crate::rotation::Rotation;

/// A standard gate with its parameters; angles in radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// The global phase exp(iα).
    Phase(f64),
    /// exp(i·phase)·rotation on one qubit.
    Single {
        /// The rotation.
        rotation: OneQubitGate,
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
    /// exp(−iθ(XX ± YY)/4), conjugated by RZ(β) on the first (+) or second (−) qubit.
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
    /// The single-qubit gate that Qiskit calls `name`, None if there is none.
    #[must_use]
    pub fn single(name: &[u8], params: &[f64]) -> Option<Self> {
        let (rotation, phase) = match (name, params) {
            (b"rz", &[phi]) => {
                return Some(Self::Single { rotation: OneQubitGate::Rz(phi), phase: 0.0 });
            }
            (b"r", &[theta, phi]) => {
                return Some(Self::Single { rotation: OneQubitGate::R(theta, phi), phase: 0.0 });
            }
            (b"rx", &[theta]) => (Rotation::rx(theta), 0.0),
            (b"ry", &[theta]) => (Rotation::ry(theta), 0.0),
            (b"p" | b"u1", &[phi]) => (Rotation::rz(phi), phi / 2.0),
            (b"u2", &[phi, lambda]) => {
                (Rotation::u(FRAC_PI_2, phi, lambda), f64::midpoint(phi, lambda))
            }
            (b"u" | b"u3", &[theta, phi, lambda]) => {
                (Rotation::u(theta, phi, lambda), f64::midpoint(phi, lambda))
            }
            (b"id", []) => (Rotation::IDENTITY, 0.0),
            (b"h", []) => (Rotation::u(FRAC_PI_2, 0.0, PI), FRAC_PI_2),
            (b"x", []) => (Rotation::rx(PI), FRAC_PI_2),
            (b"y", []) => (Rotation::ry(PI), FRAC_PI_2),
            (b"z", []) => (Rotation::rz(PI), FRAC_PI_2),
            (b"s", []) => (Rotation::rz(FRAC_PI_2), FRAC_PI_4),
            (b"sdg", []) => (Rotation::rz(-FRAC_PI_2), -FRAC_PI_4),
            (b"t", []) => (Rotation::rz(FRAC_PI_4), FRAC_PI_8),
            (b"tdg", []) => (Rotation::rz(-FRAC_PI_4), -FRAC_PI_8),
            (b"sx", []) => (Rotation::rx(FRAC_PI_2), FRAC_PI_4),
            (b"sxdg", []) => (Rotation::rx(-FRAC_PI_2), -FRAC_PI_4),
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

    /// Number of qubits that it acts on.
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

    /// Whether it only changes the phases of basis states, so that no measurement depends on it.
    #[must_use]
    pub fn is_diagonal(&self) -> bool {
        match self {
            Self::Pair { axes, .. } => *axes == [Axis::Z; 2],
            Self::Controlled { axis, .. } | Self::MultiControlled { axis, .. } => *axis == Axis::Z,
            _ => false,
        }
    }

    /// Whether it is diagonal, so that each qubit in |0⟩ stays there.
    #[must_use]
    pub fn keeps_zero(&self) -> bool {
        match self {
            Self::Phase(_) => true,
            Self::Single { rotation, .. } => rotation.rotation().is_diagonal(),
            _ => self.is_diagonal(),
        }
    }

    /// Whether all [`super::Variant::COUNT`] variants differ, not only the first few.
    #[must_use]
    pub fn has_variants(&self) -> bool {
        matches!(self, Self::MultiControlled { .. } | Self::ControlledSwap)
    }
}
