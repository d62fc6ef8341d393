//! Packed outcomes in the making.

use crate::{noise::Readout, random::Random};

/// A row a shot, a bit a qubit, as in [`aqt_core::Samples`].
pub(crate) struct Rows {
    pub(crate) bytes: Vec<u8>,
    stride: usize,
    shots: usize,
}

impl Rows {
    /// All bits 0.
    pub(crate) fn new(num_qubits: usize, shots: usize) -> Self {
        let stride = num_qubits.div_ceil(8);
        Self { bytes: vec![0; stride * shots], stride, shots }
    }

    /// Sets the bits of `qubits`, where bit `i` of the outcome is that of the `i`th.
    pub(crate) fn set(&mut self, shot: usize, outcome: usize, qubits: &[u32]) {
        let row = &mut self.bytes[shot * self.stride..(shot + 1) * self.stride];
        for (bit, &qubit) in qubits.iter().enumerate() {
            row[qubit as usize / 8] |= u8::from(outcome >> bit & 1 == 1) << (qubit % 8);
        }
    }

    /// Flips the bit of a qubit in some shots.
    pub(crate) fn flip(&mut self, qubit: u32, readout: Readout, random: &mut Random) {
        let most = readout.one_of_zero.max(readout.zero_of_one);
        let shots = u32::try_from(self.shots).unwrap_or(u32::MAX);
        random.choose(most, shots, |random, shot| {
            let byte = &mut self.bytes[shot as usize * self.stride + qubit as usize / 8];
            let one = *byte >> (qubit % 8) & 1 == 1;
            let flip = if one { readout.zero_of_one } else { readout.one_of_zero };
            if random.uniform() * most < flip {
                *byte ^= 1 << (qubit % 8);
            }
        });
    }
}
