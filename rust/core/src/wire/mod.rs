//! The bodies of requests and responses.

pub mod encoder;
pub mod fake_device;
mod json;
pub mod request;
pub mod response;
mod shots;

pub use self::{
    json::MAX_DEPTH,
    request::Job,
    response::{JobState, Status, StatusChange},
};
