//! An archive → checked circuits.

use std::f64::consts::PI;

use super::format::{MAGIC, MIN_CIRCUIT, MIN_OPERATION, R, RXX, RZ, UNMEASURED, VERSION};
use crate::{
    circuit::{Circuit, MeasurementMap, Operation},
    error::{ArchiveError, ArchiveErrorKind as Kind, CircuitError},
};

/// No angle in radians is further from 0 than this in units of π.
pub(super) const MAX_UNITS: f64 = f64::MAX / PI;

type Result<T> = std::result::Result<T, ArchiveError>;

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
