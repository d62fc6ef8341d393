//! Codec for AQT's trapped-ion quantum computers, without Python and without unsafe code.
//!
//! One way out: [`CircuitBuilder`] checks a list of operations, [`payload`] writes a checked
//! circuit, [`Encoder`] writes many at once as the body of one API job. One way back: [`response`]
//! reads a response body into a job state with packed [`Samples`], [`counts`] takes them through a
//! [`MeasurementMap`]. At the other end of the wire [`request`] reads what was sent, and
//! [`stand_in`] answers in a machine's place. [`archive`] keeps checked circuits on disk.

pub mod archive;
mod blocks;
pub mod circuit;
mod commuting;
pub mod compile;
pub mod complex;
pub mod counts;
pub mod decompose;
pub mod encoder;
pub mod error;
mod json;
pub mod lower;
pub mod operation;
pub mod payload;
pub mod request;
pub mod response;
mod rows;
pub mod samples;
pub mod stand_in;
pub mod weyl;

pub use circuit::{Circuit, CircuitBuilder, Limits, MeasurementMap};
pub use counts::{Histogram, Outcomes};
pub use encoder::{Body, Encoder};
pub use error::{ArchiveError, ArchiveErrorKind, BodyError, BodyErrorKind, CircuitError};
pub use operation::Operation;
pub use request::Job;
pub use response::{JobState, Status, StatusChange};
pub use samples::Samples;
