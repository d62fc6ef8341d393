//! Single-qubit gates and RXX → the fewest operations that AQT's interface accepts.
//!
//! A *run* is the product of a qubit's gates between two of its interactions: one element of SU(2),
//! written as RZ(λ)·R(θ, φ) at the end (`runs`). `interactions` merges RXX as they come and brings
//! their angles into range. Then `carry` commutes rotations about X through RXX to where they cost
//! least, and `writer` turns runs into [`Step`]s. [`Lowering`] does all of it.

mod carry;
mod interactions;
mod lowering;
mod runs;
mod step;
mod writer;

pub use self::{
    lowering::Lowering,
    step::{Lowered, Step},
};
