//! Checked circuits → an archive.

use super::format::{MAGIC, MIN_OPERATION, R, RXX, RZ, UNMEASURED, VERSION};
use crate::circuit::{Circuit, MeasurementMap, Operation};

/// Number of bytes that [`write`] fills.
#[must_use]
pub fn size(circuits: &[Circuit], maps: &[MeasurementMap]) -> usize {
    let operation = |operation: &Operation| match operation {
        Operation::Rz { .. } => MIN_OPERATION,
        Operation::R { .. } => MIN_OPERATION + 8,
        Operation::Rxx { .. } => MIN_OPERATION + 4,
    };
    let circuits = circuits.iter().zip(maps).map(|(circuit, map)| {
        let operations: usize = circuit.operations().iter().map(operation).sum();
        12 + operations + 4 * map.sources().len()
    });
    MAGIC.len() + 1 + 4 + circuits.sum::<usize>()
}

/// Writes circuits with the maps at the same indices. A map measures at least one qubit, and none
/// that its circuit does not have: otherwise [`read`] refuses the archive.
///
/// # Panics
/// If `bytes` is not [`size`] bytes long, if there are not as many maps as circuits, or if something
/// comes more than 2³² − 1 times.
pub fn write(bytes: &mut [u8], circuits: &[Circuit], maps: &[MeasurementMap]) {
    assert_eq!(circuits.len(), maps.len(), "each circuit has its map");
    let mut writer = Writer { rest: bytes };
    writer.put(MAGIC);
    writer.put([VERSION]);
    writer.count(circuits.len());
    for (circuit, map) in circuits.iter().zip(maps) {
        writer.put(circuit.num_qubits().to_le_bytes());
        writer.count(circuit.operations().len());
        for operation in circuit.operations() {
            writer.operation(operation);
        }
        writer.count(map.sources().len());
        for source in map.sources() {
            writer.put(source.unwrap_or(UNMEASURED).to_le_bytes());
        }
    }
    assert!(writer.rest.is_empty(), "the archive is shorter than its place");
}

/// What is still to be filled.
struct Writer<'a> {
    rest: &'a mut [u8],
}

impl Writer<'_> {
    fn put<const N: usize>(&mut self, value: [u8; N]) {
        let (place, rest) = std::mem::take(&mut self.rest).split_at_mut(N);
        place.copy_from_slice(&value);
        self.rest = rest;
    }

    fn count(&mut self, count: usize) {
        let Ok(count) = u32::try_from(count) else { panic!("{count} does not fit an archive") };
        self.put(count.to_le_bytes());
    }

    fn operation(&mut self, operation: &Operation) {
        match *operation {
            Operation::Rz { qubit, phi } => {
                self.put([RZ]);
                self.put(qubit.to_le_bytes());
                self.put(phi.to_le_bytes());
            }
            Operation::R { qubit, phi, theta } => {
                self.put([R]);
                self.put(qubit.to_le_bytes());
                self.put(phi.to_le_bytes());
                self.put(theta.to_le_bytes());
            }
            Operation::Rxx { qubits: [first, second], theta } => {
                self.put([RXX]);
                self.put(first.to_le_bytes());
                self.put(second.to_le_bytes());
                self.put(theta.to_le_bytes());
            }
        }
    }
}
