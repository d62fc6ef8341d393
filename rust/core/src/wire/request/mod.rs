//! The request body of an API job → its label and checked circuits, in any valid layout.
//!
//! Ranges and limits are those of AQT's own models: an operation has no keys but its own, other
//! objects may have further keys. Stricter than the models: numbers are written as numbers, whole
//! numbers without fraction and exponent, and no key with a meaning occurs twice.

mod fields;
mod job;
mod operations;
#[cfg(test)]
mod tests;

pub use self::job::{Job, MAX_CIRCUITS, MAX_REPETITIONS, read};
