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

use std::f64::consts::PI;

use crate::{
    circuit::{Circuit, MeasurementMap},
    error::{ArchiveError, ArchiveErrorKind as Kind, CircuitError},
    operation::Operation,
};

/// What an archive starts with.
pub const MAGIC: [u8; 4] = *b"AQTB";

/// The version of the format that [`write`] writes, and the only one so far.
pub const VERSION: u8 = 1;

const RZ: u8 = 0;
const R: u8 = 1;
const RXX: u8 = 2;

/// Stands for the qubit of a classical bit that nothing was measured into. No qubit has this index:
/// it is the highest number of qubits.
const UNMEASURED: u32 = u32::MAX;

/// Bytes of the shortest operation.
const MIN_OPERATION: usize = 13;

/// Bytes of the shortest circuit: no operations, one classical bit.
const MIN_CIRCUIT: usize = 16;

/// No angle in radians is further from 0 than this in units of π.
const MAX_UNITS: f64 = f64::MAX / PI;

type Result<T> = std::result::Result<T, ArchiveError>;

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

/// Reads and checks what [`write`] has written. The size of a circuit is not limited.
///
/// # Errors
/// [`ArchiveError`] with the byte offset, for anything that [`write`] does not write.
pub fn read(bytes: &[u8]) -> Result<(Vec<Circuit>, Vec<MeasurementMap>)> {
    let mut reader = Reader { bytes, offset: 0 };
    if reader.take().ok() != Some(MAGIC) {
        return Err(ArchiveError { kind: Kind::NotAnArchive, offset: 0 });
    }
    let offset = reader.offset;
    let [version] = reader.take()?;
    if version != VERSION {
        return Err(ArchiveError { kind: Kind::UnknownVersion(version), offset });
    }
    let num_circuits = reader.count(MIN_CIRCUIT)?;
    let mut circuits = Vec::with_capacity(num_circuits);
    let mut maps = Vec::with_capacity(num_circuits);
    for _ in 0..num_circuits {
        let (circuit, map) = reader.circuit()?;
        circuits.push(circuit);
        maps.push(map);
    }
    if reader.rest().is_empty() {
        Ok((circuits, maps))
    } else {
        Err(ArchiveError { kind: Kind::TrailingData, offset: reader.offset })
    }
}

/// A place in an archive, never behind its end.
struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.offset..]
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some(value) = self.rest().first_chunk() else {
            return Err(ArchiveError { kind: Kind::UnexpectedEnd, offset: self.offset });
        };
        let value = *value;
        self.offset += N;
        Ok(value)
    }

    fn number(&mut self) -> Result<u32> {
        self.take().map(u32::from_le_bytes)
    }

    /// Takes the number of items that follow, each of at least `size` bytes. What is made room for
    /// is in proportion to the bytes that are there.
    fn count(&mut self, size: usize) -> Result<usize> {
        let offset = self.offset;
        let count = self.number()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.rest().len() / size => Ok(count),
            _ => Err(ArchiveError { kind: Kind::TooFewBytes { count }, offset }),
        }
    }

    fn circuit(&mut self) -> Result<(Circuit, MeasurementMap)> {
        let offset = self.offset;
        let num_qubits = self.number()?;
        if num_qubits == 0 {
            return Err(wrong(CircuitError::NoQubits, offset));
        }
        let num_operations = self.count(MIN_OPERATION)?;
        let mut operations = Vec::with_capacity(num_operations);
        for _ in 0..num_operations {
            operations.push(self.operation(num_qubits)?);
        }
        let offset = self.offset;
        let num_clbits = self.count(4)?;
        let mut sources = Vec::with_capacity(num_clbits);
        for _ in 0..num_clbits {
            sources.push(self.source(num_qubits)?);
        }
        if sources.iter().all(Option::is_none) {
            return Err(wrong(CircuitError::NoMeasurement, offset));
        }
        let circuit = Circuit::from_checked(num_qubits, operations);
        Ok((circuit, MeasurementMap::from_sources(sources)))
    }

    fn operation(&mut self, num_qubits: u32) -> Result<Operation> {
        let start = self.offset;
        let [tag] = self.take()?;
        match tag {
            RZ => {
                let qubit = self.qubit(num_qubits)?;
                Ok(Operation::Rz { qubit, phi: self.angle("phi", -MAX_UNITS, MAX_UNITS)? })
            }
            R => {
                let qubit = self.qubit(num_qubits)?;
                let phi = self.angle("phi", 0.0, 2.0)?;
                Ok(Operation::R { qubit, phi, theta: self.angle("theta", 0.0, 1.0)? })
            }
            RXX => {
                let qubits = [self.qubit(num_qubits)?, self.qubit(num_qubits)?];
                if qubits[0] == qubits[1] {
                    return Err(wrong(CircuitError::DuplicateQubits { qubit: qubits[0] }, start));
                }
                Ok(Operation::Rxx { qubits, theta: self.angle("theta", 0.0, 0.5)? })
            }
            _ => Err(ArchiveError { kind: Kind::UnknownOperation(tag), offset: start }),
        }
    }

    fn qubit(&mut self, num_qubits: u32) -> Result<u32> {
        let offset = self.offset;
        let qubit = self.number()?;
        if qubit < num_qubits {
            Ok(qubit)
        } else {
            Err(wrong(CircuitError::QubitOutOfRange { qubit, num_qubits }, offset))
        }
    }

    fn source(&mut self, num_qubits: u32) -> Result<Option<u32>> {
        if self.rest().first_chunk() == Some(&UNMEASURED.to_le_bytes()) {
            self.offset += 4;
            return Ok(None);
        }
        self.qubit(num_qubits).map(Some)
    }

    /// Takes an angle from `lower` to `upper` units of π. −0 is not within bounds that start at 0.
    fn angle(&mut self, angle: &'static str, lower: f64, upper: f64) -> Result<f64> {
        let offset = self.offset;
        let value = f64::from_le_bytes(self.take()?);
        if (lower..=upper).contains(&value) && (lower < 0.0 || value.is_sign_positive()) {
            Ok(value)
        } else {
            let kind = Kind::AngleNotWithin { angle, value, lower, upper };
            Err(ArchiveError { kind, offset })
        }
    }
}

fn wrong(error: CircuitError, offset: usize) -> ArchiveError {
    ArchiveError { kind: Kind::Circuit(error), offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (Vec<Circuit>, Vec<MeasurementMap>) {
        let operations = vec![
            Operation::Rz { qubit: 2, phi: -7.25 },
            Operation::R { qubit: 0, phi: 2.0, theta: 1.0 },
            Operation::Rxx { qubits: [2, 1], theta: 0.5 },
        ];
        let mut map = MeasurementMap::new(2);
        map.measure(2, 1).unwrap();
        (
            vec![Circuit::from_checked(3, operations), Circuit::from_checked(1, vec![])],
            vec![map, MeasurementMap::identity(1)],
        )
    }

    fn written(circuits: &[Circuit], maps: &[MeasurementMap]) -> Vec<u8> {
        let mut bytes = vec![0xa5; size(circuits, maps)];
        write(&mut bytes, circuits, maps);
        bytes
    }

    /// [`example`] by hand. Offsets: first circuit 9, operations 17, 30, 51, classical bits 68;
    /// second circuit 80, its classical bits 88.
    #[rustfmt::skip]
    const EXAMPLE: [u8; 96] = [
        b'A', b'Q', b'T', b'B', 1, 2, 0, 0, 0,
        3, 0, 0, 0, 3, 0, 0, 0,
        0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1d, 0xc0,
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f,
        2, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f,
        2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0,
        1, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 0, 0, 0, 0, 0,
    ];

    #[test]
    fn the_format_stays() {
        let (circuits, maps) = example();
        assert_eq!(written(&circuits, &maps), EXAMPLE);
        assert_eq!(read(&EXAMPLE), Ok((circuits, maps)));
        assert_eq!(written(&[], &[]), *b"AQTB\x01\0\0\0\0");
        assert_eq!(read(b"AQTB\x01\0\0\0\0"), Ok((vec![], vec![])));
    }

    /// The error after `patch` replaces the bytes at `offset` of the example.
    fn fails(offset: usize, patch: &[u8]) -> (Kind, usize) {
        let mut bytes = EXAMPLE;
        bytes[offset..offset + patch.len()].copy_from_slice(patch);
        let error = read(&bytes).unwrap_err();
        (error.kind, error.offset)
    }

    #[test]
    fn everything_is_checked() {
        let circuit = |problem| Kind::Circuit(problem);
        let out = |qubit, num_qubits| circuit(CircuitError::QubitOutOfRange { qubit, num_qubits });
        let duplicate = circuit(CircuitError::DuplicateQubits { qubit: 1 });
        for (at, patch, kind, offset) in [
            (0, b"a" as &[u8], Kind::NotAnArchive, 0),
            (4, &[2], Kind::UnknownVersion(2), 4),
            (5, &[6], Kind::TooFewBytes { count: 6 }, 5),
            (5, &[3], Kind::UnexpectedEnd, 96),
            (5, &[1], Kind::TrailingData, 80),
            (8, &[0xff], Kind::TooFewBytes { count: 0xff00_0002 }, 5),
            (9, &[0], circuit(CircuitError::NoQubits), 9),
            (9, &[2], out(2, 2), 18),
            (16, &[0x7f], Kind::TooFewBytes { count: 0x7f00_0003 }, 13),
            (17, &[3], Kind::UnknownOperation(3), 17),
            (18, &[3], out(3, 3), 18),
            (31, &[3], out(3, 3), 31),
            (52, &[3], out(3, 3), 52),
            (56, &[3], out(3, 3), 56),
            (52, &[1], duplicate, 51),
            (68, &[9], Kind::TooFewBytes { count: 9 }, 68),
            (76, &[3], out(3, 3), 76),
            (76, &[0xff; 4], circuit(CircuitError::NoMeasurement), 68),
            (88, &[0], circuit(CircuitError::NoMeasurement), 88),
        ] {
            assert_eq!(fails(at, patch), (kind, offset), "{at} {patch:?}");
        }
    }

    #[test]
    fn angles_are_checked() {
        for (at, angle, lower, upper) in [
            (22, "phi", -MAX_UNITS, MAX_UNITS),
            (35, "phi", 0.0, 2.0),
            (43, "theta", 0.0, 1.0),
            (60, "theta", 0.0, 0.5),
        ] {
            let takes = |value: f64| {
                let mut bytes = EXAMPLE;
                bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
                match read(&bytes) {
                    Ok((circuits, maps)) => {
                        assert_eq!(written(&circuits, &maps), bytes);
                        true
                    }
                    Err(ArchiveError {
                        kind: Kind::AngleNotWithin { angle: name, .. },
                        offset,
                    }) => {
                        assert_eq!((name, offset), (angle, at));
                        false
                    }
                    Err(error) => panic!("{error:?}"),
                }
            };
            for value in [lower, upper, lower.next_up(), upper.next_down(), 0.0, 5e-324] {
                assert!(takes(value), "{angle} {value}");
            }
            for value in [upper.next_up(), lower.next_down(), f64::NAN, -f64::NAN, f64::INFINITY] {
                assert!(!takes(value), "{angle} {value}");
            }
            assert_eq!(takes(-0.0), lower < 0.0);
        }
    }

    #[test]
    fn every_prefix_is_an_error() {
        for len in 0..EXAMPLE.len() {
            let error = read(&EXAMPLE[..len]).unwrap_err();
            let expected = match error.kind {
                Kind::NotAnArchive => len < 4,
                Kind::UnexpectedEnd | Kind::TooFewBytes { .. } => len >= 4,
                _ => false,
            };
            assert!(expected && error.offset <= len, "{len}: {error:?}");
        }
        let longer = [&EXAMPLE as &[u8], &[0]].concat();
        let kind = Kind::TrailingData;
        assert_eq!(read(&longer), Err(ArchiveError { kind, offset: EXAMPLE.len() }));
    }

    #[test]
    #[should_panic(expected = "shorter than its place")]
    fn the_place_must_fit() {
        write(&mut [0; 10], &[], &[]);
    }
}
