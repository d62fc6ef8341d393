//! One instruction as an AQT device sees it.

pub use aqt_core::Gate as NativeGate;

use super::capi::Parts;

/// What an instruction is to an AQT device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instruction {
    Gate(NativeGate),
    Measure { qubit: u32, clbit: u32 },
    Barrier,
    ControlFlow,
    Unsupported,
}

impl Instruction {
    /// A standard gate or measurement.
    pub fn new(parts: &Parts<'_>) -> Self {
        let param = parts.param;
        Self::Gate(match (parts.name, parts.qubits, parts.clbits, parts.num_params) {
            (b"rz", &[qubit], [], 1) => NativeGate::Rz { qubit, phi: param(0) },
            (b"r", &[qubit], [], 2) => NativeGate::R { qubit, theta: param(0), phi: param(1) },
            (b"rxx", &[a, b], [], 1) => NativeGate::Rxx { qubits: [a, b], theta: param(0) },
            (b"measure", &[qubit], &[clbit], 0) => return Self::Measure { qubit, clbit },
            _ => return Self::Unsupported,
        })
    }
}
