//! Checked circuits with their measurement maps ↔ bytes that later versions can read.
//!
//! All numbers are little-endian, nothing is aligned and nothing follows the last circuit.
//!
//! | what | bytes |
//! |---|---|
//! | magic | `AQTB` |
//! | version | 1 (u8) |
//! | number of circuits | u32 |
//! | each circuit | see below |
//!
//! A circuit:
//!
//! | what | bytes |
//! |---|---|
//! | number of qubits, 1 or more | u32 |
//! | number of operations, without the final MEASURE | u32 |
//! | each operation: RZ | 0 (u8), qubit (u32), φ (f64) |
//! | each operation: R | 1 (u8), qubit (u32), φ (f64), θ (f64) |
//! | each operation: RXX | 2 (u8), first and second qubit (2 × u32), θ (f64) |
//! | number of classical bits | u32 |
//! | each classical bit: the qubit that it holds, or `0xFFFF_FFFF` | u32 |
//!
//! Angles are in units of π, to the bit as an [`Operation`] holds them. What [`read`] takes,
//! [`write`] gives again byte for byte.

mod format;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use self::{
    format::{MAGIC, VERSION},
    reader::read,
    writer::{size, write},
};
