//! Codec for AQT's trapped-ion quantum computers, without Python and without unsafe code.
//!
//! To the device: [`CircuitBuilder`] checks a list of gates and folds their angles,
//! [`wire::encoder`] writes checked circuits as a request body. From the device: [`wire::response`] reads a response body into a job
//! state with packed [`Samples`], and [`Outcomes`] maps them to classical bits by a
//! [`MeasurementMap`]. For test servers, [`wire::request`] reads a request body and
//! [`wire::fake_device`] makes samples up. [`circuit::archive`] saves checked circuits.

pub mod circuit;
pub mod error;
pub mod outcomes;
mod random;
pub mod wire;

pub use circuit::{Circuit, CircuitBuilder, Gate, GateCounts, Limits, MeasurementMap, Operation};
pub use error::{ArchiveError, ArchiveErrorKind, BodyError, BodyErrorKind, CircuitError};
pub use outcomes::{Histogram, Outcomes, Samples};
pub use wire::{Job, JobState, Status, StatusChange};
