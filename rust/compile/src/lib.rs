//! Compiler for AQT's trapped-ion quantum computers, without Python and without unsafe code.
//!
//! [`compile()`] turns a [`Program`] of any gates into RZ, R and RXX. [`gates`] decomposes Qiskit's
//! standard gates and [`weyl`] any two-qubit unitary; `commuting` and `blocks` reduce the number of
//! RXX; [`lower`] merges single-qubit gates and brings all angles into the device's ranges.
//! A [`Template`] is a program with free angles, which a [`Binder`] compiles for one set of them after
//! the other; [`archive`] saves it.

pub mod archive;
mod binder;
mod blocks;
mod commuting;
mod compile;
pub mod complex;
mod eigenbasis;
mod emission;
pub mod gates;
pub mod lower;
pub mod rotation;
pub mod template;
pub mod weyl;

pub use binder::Binder;
pub use compile::{Compiled, Effort, Item, Program, compile};
pub use template::{FreeGate, Param, Template};
