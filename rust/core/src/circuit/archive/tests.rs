//! The format byte by byte, and every error.

use super::{read, reader::MAX_UNITS, size, write};
use crate::{
    circuit::{Circuit, MeasurementMap, Operation},
    error::{ArchiveError, ArchiveErrorKind as Kind, CircuitError},
};

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
                Err(ArchiveError { kind: Kind::AngleNotWithin { angle: name, .. }, offset }) => {
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
