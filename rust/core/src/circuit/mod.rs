//! Circuits that a device accepts, and their archive.

mod alike;
pub mod archive;
#[expect(clippy::module_inception, reason = "the folder is the subject, the file its first noun")]
mod circuit;
mod folding;
pub mod operation;

pub use self::{
    alike::{Alike, alike},
    circuit::{Circuit, CircuitBuilder, GateCounts, Limits, MeasurementMap},
    operation::{Gate, Operation},
};
