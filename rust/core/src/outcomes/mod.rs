//! Measured outcomes: packed samples, counts and memory.

mod counts;
mod samples;

pub use self::{
    counts::{Histogram, Outcomes},
    samples::Samples,
};
