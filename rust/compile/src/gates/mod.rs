//! Qiskit's standard gates as single-qubit rotations and RXX, by exact rules.
//!
//! [`Gate`] is the table of known gates, `emission` decomposes them into a [`GateSink`]. Where
//! several decompositions cost the same, a [`Variant`] chooses one.

mod emission;
mod geometry;
mod sink;
mod table;
mod variant;

pub(crate) use self::emission::rotate_pair;
pub use self::{
    geometry::Axis,
    sink::{GateSink, OneQubitGate},
    table::Gate,
    variant::Variant,
};
