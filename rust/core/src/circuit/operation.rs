//! An AQT operation and the ranges of its angles.

use std::f64::consts::PI;

use crate::error::CircuitError;

/// Angles this far outside a bound, in radians, are moved onto it.
pub const CLAMP_RADIANS: f64 = 1e-9;

/// RZ by more is folded: the quotient of a large angle by π has too few digits.
const LARGE_RADIANS: f64 = 1e6;

/// A gate of AQT's native set. Angles are in units of π, as on the wire.
///
/// RZ(φ) = exp(−iφZ/2), R(θ, φ) = exp(−iθ(cos φ·X + sin φ·Y)/2), RXX(θ) = exp(−iθ X⊗X/2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    /// Rotation about Z; any finite angle.
    Rz {
        /// Qubit index.
        qubit: u32,
        /// Angle φ/π.
        phi: f64,
    },
    /// Rotation about an axis in the XY plane; 0 ≤ θ ≤ π and 0 ≤ φ ≤ 2π.
    R {
        /// Qubit index.
        qubit: u32,
        /// Axis φ/π.
        phi: f64,
        /// Angle θ/π.
        theta: f64,
    },
    /// Mølmer–Sørensen interaction; 0 ≤ θ ≤ π/2.
    Rxx {
        /// Two different qubit indices.
        qubits: [u32; 2],
        /// Angle θ/π.
        theta: f64,
    },
}

/// A gate of AQT's native set with any angles, in radians; see [`Operation`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// Rotation about Z.
    Rz {
        /// Qubit index.
        qubit: u32,
        /// Angle φ.
        phi: f64,
    },
    /// Rotation about an axis in the XY plane.
    R {
        /// Qubit index.
        qubit: u32,
        /// Angle θ.
        theta: f64,
        /// Axis φ.
        phi: f64,
    },
    /// Mølmer–Sørensen interaction.
    Rxx {
        /// Two different qubit indices.
        qubits: [u32; 2],
        /// Angle θ.
        theta: f64,
    },
}

impl Gate {
    /// The operation with exactly these angles.
    ///
    /// # Errors
    /// [`CircuitError::AngleNotFinite`], [`CircuitError::AngleOutOfRange`],
    /// [`CircuitError::DuplicateQubits`].
    #[expect(clippy::inline_always, reason = "a call would cost each gate 4 ns of 30")]
    #[inline(always)]
    pub fn checked(self) -> Result<Operation, CircuitError> {
        match self {
            Self::Rz { qubit, phi } => Operation::rz(qubit, phi),
            Self::R { qubit, theta, phi } => Operation::r(qubit, theta, phi),
            Self::Rxx { qubits, theta } => Operation::rxx(qubits, theta),
        }
    }

    /// The highest qubit index that the gate touches.
    #[must_use]
    pub fn max_qubit(&self) -> u32 {
        match *self {
            Self::Rz { qubit, .. } | Self::R { qubit, .. } => qubit,
            Self::Rxx { qubits: [a, b], .. } => a.max(b),
        }
    }
}

impl Operation {
    /// RZ by `phi` radians.
    ///
    /// # Errors
    /// [`CircuitError::AngleNotFinite`].
    pub fn rz(qubit: u32, phi: f64) -> Result<Self, CircuitError> {
        if phi.abs() <= LARGE_RADIANS {
            return Ok(Self::Rz { qubit, phi: phi / PI });
        }
        if !phi.is_finite() {
            return Err(CircuitError::AngleNotFinite { angle: "phi", value: phi });
        }
        Ok(Self::Rz { qubit, phi: half_turns(phi) })
    }

    /// R by `theta` radians about the axis at `phi` radians.
    ///
    /// # Errors
    /// [`CircuitError::AngleNotFinite`], [`CircuitError::AngleOutOfRange`].
    pub fn r(qubit: u32, theta: f64, phi: f64) -> Result<Self, CircuitError> {
        let theta = bounded("theta", theta, 1.0)?;
        let phi = bounded("phi", phi, 2.0)?;
        Ok(Self::R { qubit, phi, theta })
    }

    /// RXX by `theta` radians.
    ///
    /// # Errors
    /// [`CircuitError::AngleNotFinite`], [`CircuitError::AngleOutOfRange`],
    /// [`CircuitError::DuplicateQubits`].
    pub fn rxx(qubits: [u32; 2], theta: f64) -> Result<Self, CircuitError> {
        if qubits[0] == qubits[1] {
            return Err(CircuitError::DuplicateQubits { qubit: qubits[0] });
        }
        let theta = bounded("theta", theta, 0.5)?;
        Ok(Self::Rxx { qubits, theta })
    }

    /// The qubits on which the operation acts: the same one twice if there is only one.
    #[must_use]
    pub fn qubits(&self) -> [u32; 2] {
        match *self {
            Self::Rz { qubit, .. } | Self::R { qubit, .. } => [qubit, qubit],
            Self::Rxx { qubits, .. } => qubits,
        }
    }

    /// Whether the operation acts on a qubit.
    #[must_use]
    pub fn touches(&self, qubit: u32) -> bool {
        self.qubits().contains(&qubit)
    }

    /// The highest qubit index that the operation touches.
    #[must_use]
    pub fn max_qubit(&self) -> u32 {
        let [a, b] = self.qubits();
        a.max(b)
    }
}

/// An angle in radians whose quotient by π is `units`, to the bit, if that is any angle's quotient;
/// otherwise, the quotient is next to it.
///
/// Either the product's rounding error divided by π is less than half of the last place of `units`;
/// or, where angles are sparser than quotients, the one angle that has this quotient is so close to
/// the exact product that this is rounded to it.
#[must_use]
pub fn radians(units: f64) -> f64 {
    units * PI
}

/// An angle in radians as −1 to 1 half turns, whole turns left out.
#[cold]
pub(super) fn half_turns(radians: f64) -> f64 {
    let units = radians / PI;
    if units.abs() <= 4.0 {
        return half_turns_of(units);
    }
    // The quotient of a large angle is too coarse; these functions know more digits of π.
    let (sine, cosine) = radians.sin_cos();
    sine.atan2(cosine) / PI
}

/// As [`half_turns`], of an angle in units of π.
pub(super) fn half_turns_of(units: f64) -> f64 {
    units - 2.0 * (units / 2.0).round()
}

/// `radians` in units of π, within 0 and `upper`.
fn bounded(angle: &'static str, radians: f64, upper: f64) -> Result<f64, CircuitError> {
    let units = radians / PI;
    if (0.0..=upper).contains(&units) {
        return Ok(units + 0.0); // −0 becomes 0
    }
    if !radians.is_finite() {
        return Err(CircuitError::AngleNotFinite { angle, value: radians });
    }
    if (-CLAMP_RADIANS..0.0).contains(&radians) {
        return Ok(0.0);
    }
    if units > upper && radians <= upper * PI + CLAMP_RADIANS {
        return Ok(upper);
    }
    Err(CircuitError::AngleOutOfRange { angle, value: radians, upper })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_in_units_of_pi() {
        assert_eq!(Operation::rz(3, -7.0 * PI), Ok(Operation::Rz { qubit: 3, phi: -7.0 }));
        assert_eq!(
            Operation::r(0, PI, 2.0 * PI),
            Ok(Operation::R { qubit: 0, phi: 2.0, theta: 1.0 })
        );
        assert_eq!(
            Operation::rxx([4, 1], PI / 2.0),
            Ok(Operation::Rxx { qubits: [4, 1], theta: 0.5 })
        );
    }

    #[test]
    fn radians_lead_back() {
        let exact = |units: f64| (radians(units) / PI).to_bits() == units.to_bits();
        for angle in [0.0, -0.0, 5e-324, 1e-310, 0.1, 3.0, 1e6, f64::MAX, f64::MIN] {
            assert!(exact(angle / PI), "{angle}");
        }
        assert_eq!((radians(0.5), radians(1.0), radians(2.0)), (PI / 2.0, PI, 2.0 * PI));
        // Not every number is a quotient.
        let units = (0..1000).map(|k| 1.0 + 0.001 * f64::from(k)).find(|&x| !exact(x)).unwrap();
        assert!((radians(units) / PI - units).abs() <= f64::EPSILON);
    }

    #[test]
    fn angles_next_to_a_bound_are_moved_onto_it() {
        assert_eq!(
            Operation::r(0, -1e-10, 2.0 * PI + 9e-10),
            Ok(Operation::R { qubit: 0, phi: 2.0, theta: 0.0 })
        );
        let Ok(Operation::Rxx { theta, .. }) = Operation::rxx([0, 1], -0.0) else { panic!() };
        assert!(theta == 0.0 && theta.is_sign_positive());
    }

    #[test]
    fn angles_further_out_are_refused() {
        assert_eq!(
            Operation::r(0, PI + 1.1e-9, 0.0),
            Err(CircuitError::AngleOutOfRange { angle: "theta", value: PI + 1.1e-9, upper: 1.0 })
        );
        assert!(matches!(
            Operation::rxx([0, 1], -1.1e-9),
            Err(CircuitError::AngleOutOfRange { angle: "theta", .. })
        ));
        assert!(matches!(
            Operation::r(0, 0.1, f64::NAN),
            Err(CircuitError::AngleNotFinite { angle: "phi", .. })
        ));
        assert!(matches!(
            Operation::rz(0, f64::INFINITY),
            Err(CircuitError::AngleNotFinite { angle: "phi", .. })
        ));
        assert_eq!(Operation::rxx([2, 2], 0.1), Err(CircuitError::DuplicateQubits { qubit: 2 }));
    }
}
