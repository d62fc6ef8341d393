//! What receives the gates of a decomposition.

use super::variant::Variant;
use crate::rotation::Rotation;

/// Receives the rotations and RXX of decomposed gates, in order.
pub trait GateSink {
    /// The decompositions that the sink wants.
    fn variant(&self) -> Variant;
    /// Multiplies by exp(iα), α in radians.
    fn phase(&mut self, alpha: f64);
    /// Appends a rotation.
    fn rotate(&mut self, qubit: u32, gate: impl Into<OneQubitGate>);
    /// Appends RXX(`theta`), `theta` in radians.
    fn rxx(&mut self, qubits: [u32; 2], theta: f64);
    /// Appends SWAP by exchanging the names of two qubits; false if SWAP must be decomposed.
    fn relabel(&mut self, qubits: [u32; 2]) -> bool;
}

/// A rotation of one qubit. AQT's own gates keep their angles to the last bit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OneQubitGate {
    /// R(θ, φ), angles in radians.
    R(f64, f64),
    /// RZ(φ), φ in radians.
    Rz(f64),
    /// Any other rotation.
    Other(Rotation),
}

impl OneQubitGate {
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

impl From<Rotation> for OneQubitGate {
    fn from(rotation: Rotation) -> Self {
        Self::Other(rotation)
    }
}
