//! Circuits that a device accepts, and their archive.

pub mod archive;
#[expect(clippy::module_inception, reason = "the folder is the subject, the file its first noun")]
mod circuit;
mod folding;
pub mod operation;

pub use self::{
    circuit::{Circuit, CircuitBuilder, Limits, MeasurementMap},
    operation::{Gate, Operation},
};
