//! Single-qubit gates as elements of SU(2), and back to angles.

use std::f64::consts::{PI, TAU};

// The standard library calls the system's functions: slower, and different on each system.
use libm::{atan2, sincos};

/// In radians. Angles closer than this to a bound of their range are moved onto it; rotations by less
/// are dropped.
pub(crate) const TOLERANCE: f64 = 1e-9;

/// Whether a component of a rotation stands for an angle below [`TOLERANCE`].
pub(crate) fn negligible(component: f64) -> bool {
    component.abs() < TOLERANCE / 2.0
}

/// The absolute value of a complex number that is at most 1.
pub(crate) fn size(re: f64, im: f64) -> f64 {
    (re * re + im * im).sqrt()
}

/// The angle in [−2π, 2π] that differs by a multiple of 4π. Reduce an angle before adding it to
/// others: a sum with a large angle loses the digits of small ones.
pub(crate) fn without_turns(angle: f64) -> f64 {
    if angle.abs() <= TAU {
        return angle;
    }
    let (sine, cosine) = sincos(angle / 2.0);
    2.0 * atan2(sine, cosine)
}

/// Sine and cosine of half an angle.
fn half_sincos(theta: f64) -> (f64, f64) {
    // Qiskit's decompositions are full of half turns.
    if theta.to_bits() == PI.to_bits() { (1.0, 0.0) } else { sincos(theta / 2.0) }
}

/// An element of SU(2): w − i(x·X + y·Y + z·Z), w² + x² + y² + z² = 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotation {
    pub(crate) w: f64,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) z: f64,
}

/// exp(iα)·RZ(λ)·R(θ, φ): θ ∈ [0, π], φ ∈ [0, 2π), λ ∈ (−π, π], α either 0 or π.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Angles {
    pub theta: f64,
    pub phi: f64,
    pub lambda: f64,
    pub alpha: f64,
}

impl Angles {
    pub const NONE: Self = Self { theta: 0.0, phi: 0.0, lambda: 0.0, alpha: 0.0 };

    /// Whether [`Rotation::angles`] could return them: inside all ranges, and not so close to a bound
    /// that it would move them onto it.
    pub fn are_final(self) -> bool {
        let Self { theta, phi, lambda, .. } = self;
        let zero = |angle: f64| angle.abs() < f64::MIN_POSITIVE;
        let within = |angle: f64, bound: f64| angle >= TOLERANCE && angle <= bound - TOLERANCE;
        let pi = |angle: f64| angle.to_bits() == PI.to_bits();
        let pulse = within(theta, PI) || pi(theta) && zero(lambda);
        let axis = zero(phi) || within(phi, TAU);
        let no_pulse = zero(theta) && zero(phi);
        (no_pulse || pulse && axis) && (zero(lambda) || within(lambda.abs(), PI) || pi(lambda))
    }
}

impl Rotation {
    /// No rotation.
    pub const IDENTITY: Self = Self { w: 1.0, x: 0.0, y: 0.0, z: 0.0 };

    /// RX(π) = −iX.
    pub(crate) const HALF_X: Self = Self { w: 0.0, x: 1.0, y: 0.0, z: 0.0 };

    /// RZ(π) = −iZ.
    pub(crate) const HALF_Z: Self = Self { w: 0.0, x: 0.0, y: 0.0, z: 1.0 };

    /// RZ(φ) = exp(−iφZ/2), φ in radians.
    #[must_use]
    pub fn rz(phi: f64) -> Self {
        let (sine, cosine) = sincos(phi / 2.0);
        Self { w: cosine, z: sine, ..Self::IDENTITY }
    }

    /// R(θ, φ) = exp(−iθ(cos φ·X + sin φ·Y)/2), angles in radians.
    #[must_use]
    pub fn r(theta: f64, phi: f64) -> Self {
        let (sine, cosine) = half_sincos(theta);
        let (axis_y, axis_x) = sincos(phi);
        Self { w: cosine, x: sine * axis_x, y: sine * axis_y, z: 0.0 }
    }

    /// RX(θ) = exp(−iθX/2), θ in radians.
    #[must_use]
    pub fn rx(theta: f64) -> Self {
        let (x, w) = half_sincos(theta);
        Self { w, x, ..Self::IDENTITY }
    }

    /// RY(θ) = exp(−iθY/2), θ in radians.
    #[must_use]
    pub fn ry(theta: f64) -> Self {
        let (y, w) = half_sincos(theta);
        Self { w, y, ..Self::IDENTITY }
    }

    /// RZ(φ)·RY(θ)·RZ(λ), angles in radians: Qiskit's U(θ, φ, λ) without its phase (φ + λ)/2.
    #[must_use]
    pub fn u(theta: f64, phi: f64, lambda: f64) -> Self {
        Self::rz(phi).after(Self::ry(theta)).after(Self::rz(lambda))
    }

    /// `self` applied after `first`.
    #[must_use]
    pub fn after(self, first: Self) -> Self {
        Self {
            w: self.w * first.w - self.x * first.x - self.y * first.y - self.z * first.z,
            x: self.w * first.x + self.x * first.w + self.y * first.z - self.z * first.y,
            y: self.w * first.y + self.y * first.w + self.z * first.x - self.x * first.z,
            z: self.w * first.z + self.z * first.w + self.x * first.y - self.y * first.x,
        }
    }

    /// The rotation that undoes this one.
    pub(crate) fn inverse(self) -> Self {
        Self { w: self.w, x: -self.x, y: -self.y, z: -self.z }
    }

    /// Whether it needs no R.
    pub(crate) fn is_diagonal(self) -> bool {
        negligible(size(self.x, self.y))
    }

    /// The sign s with X·`self` = s·`self`·X, if there is one: + for rotations about X, − for half
    /// turns about an axis perpendicular to X.
    pub(crate) fn sign_of_x(self) -> Option<f64> {
        if negligible(self.y) && negligible(self.z) {
            Some(1.0)
        } else if negligible(self.w) && negligible(self.x) {
            Some(-1.0)
        } else {
            None
        }
    }

    /// The angles of this rotation.
    pub(crate) fn angles(self) -> Angles {
        let Self { w, x, y, z } = self;
        let (pulse, rest) = (size(x, y), size(w, z));
        let half_turn = negligible(rest);
        // A half turn does not determine both λ and φ.
        let half_lambda = if half_turn {
            0.0
        } else if negligible(z) {
            if w < 0.0 { PI } else { 0.0 }
        } else {
            atan2(z, w)
        };
        let (mut lambda, mut alpha) = (2.0 * half_lambda, 0.0);
        if lambda > PI + TOLERANCE {
            (lambda, alpha) = (lambda - TAU, PI);
        } else if lambda < TOLERANCE - PI {
            (lambda, alpha) = (lambda + TAU, PI);
        }
        if (lambda - PI).abs() <= TOLERANCE {
            lambda = PI;
        }
        if negligible(pulse) {
            return Angles { lambda, alpha, ..Angles::NONE };
        }
        let theta = if half_turn { PI } else { 2.0 * atan2(pulse, rest) };
        let mut phi = atan2(y, x) - half_lambda;
        if phi < 0.0 {
            phi += TAU;
        }
        if !(TOLERANCE..=TAU - TOLERANCE).contains(&phi) {
            phi = 0.0;
        }
        Angles { theta, phi, lambda, alpha }
    }
}
