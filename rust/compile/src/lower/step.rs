//! The operations of a lowered circuit.

/// An operation of a lowered circuit; angles in radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// R(θ, φ), 0 < θ ≤ π, 0 ≤ φ < 2π.
    R {
        /// Qubit index.
        qubit: u32,
        /// Angle θ.
        theta: f64,
        /// Axis φ.
        phi: f64,
    },
    /// RZ(φ), −π < φ ≤ π.
    Rz {
        /// Qubit index.
        qubit: u32,
        /// Angle φ.
        phi: f64,
    },
    /// RXX(θ), 0 < θ ≤ π/2.
    Rxx {
        /// Qubit indices.
        qubits: [u32; 2],
        /// Angle θ.
        theta: f64,
    },
    /// A barrier, by its number.
    Barrier(usize),
    /// Any other operation, kept as it is, by its number.
    Opaque(usize),
}

/// A lowered circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Lowered {
    /// All steps.
    pub steps: Vec<Step>,
    /// The global phase in radians.
    pub phase: f64,
    /// Whether any step is new. If not, all steps are gates of the source with their own angles, in
    /// their order on each qubit; some gates of the source may be absent.
    pub rewritten: bool,
}
