//! Batches of circuits: checked ones, and sweeps of templates whose circuits are compiled when they
//! are needed. Without Python and without unsafe code.
//!
//! This is where compiler and codec meet: a [`Sweep`] compiles a template with one set of angles
//! after the other into circuits that the codec encodes. A [`Batch`] numbers circuits and sweeps in
//! one row, and [`archive`] saves it.

pub mod archive;
mod batch;
mod sweep;

pub use batch::{Batch, Part, Read};
pub use sweep::{Angles, Problem, Sweep};
