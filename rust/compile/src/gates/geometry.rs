//! Axes of the Bloch sphere.

use std::f64::consts::FRAC_1_SQRT_2;

use crate::rotation::Rotation;

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
    pub(super) const H: Self = Self { x: FRAC_1_SQRT_2, y: 0.0, z: FRAC_1_SQRT_2 };

    /// The components, for [`Self::from_parts`].
    pub(crate) fn parts(self) -> [f64; 3] {
        [self.x, self.y, self.z]
    }

    /// The axis with these components, a vector of length 1.
    pub(crate) fn from_parts([x, y, z]: [f64; 3]) -> Self {
        Self { x, y, z }
    }

    /// Axis and angle of a rotation.
    pub(super) fn of(rotation: Rotation) -> (Self, f64) {
        // cos(θ/2) − i·sin(θ/2)·(n·σ).
        let Rotation { w, x, y, z } = rotation;
        let size = x.hypot(y).hypot(z);
        if size == 0.0 {
            return (Self::Z, 2.0 * size.atan2(w));
        }
        (Self { x: x / size, y: y / size, z: z / size }, 2.0 * size.atan2(w))
    }

    /// The opposite direction.
    pub(super) fn opposite(self) -> Self {
        Self { x: -self.x, y: -self.y, z: -self.z }
    }

    /// The rotation by `angle`, in radians.
    pub(super) fn turn(self, angle: f64) -> Rotation {
        let (sine, w) = (angle / 2.0).sin_cos();
        Rotation { w, x: sine * self.x, y: sine * self.y, z: sine * self.z }
    }

    /// The rotation by π, which is −i times the Pauli of this axis.
    pub(crate) fn half_turn(self) -> Rotation {
        Rotation { w: 0.0, x: self.x, y: self.y, z: self.z }
    }

    /// A rotation that maps the x axis to this axis, and its inverse.
    pub(super) fn frame(self) -> [Rotation; 2] {
        if self.x < 0.0 {
            // Invert first: a frame is less exact, the further its axis is from x.
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
