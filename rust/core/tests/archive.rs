//! Properties of archives of circuits.

use std::f64::consts::PI;

use aqt_core::{
    Circuit, CircuitBuilder, Limits, MeasurementMap, Operation,
    circuit::{archive, operation::radians},
};
use proptest::{collection::vec, prelude::*};

fn cases(number: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(number) }
}

type Batch = (Vec<Circuit>, Vec<MeasurementMap>);

const NO_LIMITS: Limits = Limits { qubits: u32::MAX, operations: usize::MAX };

/// Angles from 0 to `upper`, the bounds and the smallest more often than by chance.
fn angle(upper: f64) -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(upper), Just(5e-324), 0.0..=upper]
}

/// Operations with angles in units of π, not all of which are quotients of angles in radians.
fn operation(num_qubits: u32) -> impl Strategy<Value = Operation> {
    let qubit = 0..num_qubits;
    let any_finite = any::<u64>()
        .prop_map(|bits| f64::from_bits(bits) / PI)
        .prop_filter("finite", |phi| phi.is_finite());
    let rz = (qubit.clone(), prop_oneof![any_finite, Just(-0.0)]);
    let r = (qubit.clone(), angle(2.0), angle(1.0));
    let rxx = (qubit, 1..num_qubits.max(2), angle(0.5));
    prop_oneof![
        rz.prop_map(|(qubit, phi)| Operation::Rz { qubit, phi }),
        r.prop_map(|(qubit, phi, theta)| Operation::R { qubit, phi, theta }),
        rxx.prop_map(move |(qubit, distance, theta)| {
            let other =
                u32::try_from((u64::from(qubit) + u64::from(distance)) % u64::from(num_qubits));
            match other {
                Ok(other) if other != qubit => Operation::Rxx { qubits: [qubit, other], theta },
                _ => Operation::Rz { qubit, phi: theta },
            }
        }),
    ]
}

fn circuit() -> impl Strategy<Value = (Circuit, MeasurementMap)> {
    let sizes = (prop_oneof![1..40_u32, Just(u32::MAX)], 1..70_u32);
    let parts = sizes.prop_flat_map(|(num_qubits, num_clbits)| {
        let measurement = (0..num_qubits, 0..num_clbits);
        let operations = vec(operation(num_qubits), 0..30);
        (Just(num_qubits), Just(num_clbits), operations, vec(measurement, 1..20))
    });
    parts.prop_map(|(num_qubits, num_clbits, operations, measurements)| {
        let mut builder = CircuitBuilder::new(num_qubits, num_clbits, 0, NO_LIMITS).unwrap();
        let mut map = MeasurementMap::new(num_clbits);
        for operation in operations {
            builder.gate(operation).unwrap();
        }
        for (qubit, clbit) in measurements {
            builder.measure(qubit, clbit).unwrap();
            map.measure(qubit, clbit).unwrap();
        }
        (builder.finish().unwrap(), map)
    })
}

fn batch() -> impl Strategy<Value = Batch> {
    vec(circuit(), 0..5).prop_map(|circuits| circuits.into_iter().unzip())
}

fn written((circuits, maps): &Batch) -> Vec<u8> {
    let mut bytes = vec![0xa5; archive::size(circuits, maps)];
    archive::write(&mut bytes, circuits, maps);
    bytes
}

/// Angles to the bit, which `==` does not tell for zeros.
fn bits((circuits, _): &Batch) -> Vec<u64> {
    let operations = circuits.iter().flat_map(Circuit::operations);
    let angles = operations.flat_map(|operation| match *operation {
        Operation::Rz { phi, .. } => vec![phi],
        Operation::R { phi, theta, .. } => vec![phi, theta],
        Operation::Rxx { theta, .. } => vec![theta],
    });
    angles.map(f64::to_bits).collect()
}

/// Takes a batch through all checks that circuits from elsewhere go through.
fn assert_valid((circuits, maps): &Batch) {
    assert_eq!(circuits.len(), maps.len());
    for (circuit, map) in circuits.iter().zip(maps) {
        let (num_qubits, num_clbits) = (circuit.num_qubits(), map.num_clbits());
        let mut builder = CircuitBuilder::new(num_qubits, num_clbits, 0, NO_LIMITS).unwrap();
        for operation in circuit.operations() {
            let again = match *operation {
                Operation::Rz { qubit, phi } => Operation::rz(qubit, radians(phi)),
                Operation::R { qubit, phi, theta } => {
                    assert!((0.0..=2.0).contains(&phi) && (0.0..=1.0).contains(&theta));
                    Operation::r(qubit, radians(theta), radians(phi))
                }
                Operation::Rxx { qubits, theta } => {
                    assert!((0.0..=0.5).contains(&theta));
                    Operation::rxx(qubits, radians(theta))
                }
            };
            builder.gate(again.unwrap()).unwrap();
        }
        for (clbit, source) in (0..).zip(map.sources()) {
            if let Some(qubit) = *source {
                builder.measure(qubit, clbit).unwrap();
            }
        }
        builder.finish().unwrap();
    }
}

/// Reads what may be broken. Returns whether it is a batch, which then is valid and leads back.
fn check(bytes: &[u8]) -> bool {
    match archive::read(bytes) {
        Ok(batch) => {
            assert_valid(&batch);
            assert_eq!(written(&batch), bytes);
            true
        }
        Err(error) => {
            assert!(error.offset <= bytes.len(), "{error:?}");
            false
        }
    }
}

/// Two circuits with everything that there is.
fn example() -> Vec<u8> {
    let mut builder = CircuitBuilder::new(3, 3, 0, NO_LIMITS).unwrap();
    for operation in [
        Operation::rz(2, -7.0),
        Operation::r(0, PI, 2.0 * PI),
        Operation::rxx([2, 1], PI / 2.0),
        Operation::r(1, 0.0, 1.0),
    ] {
        builder.gate(operation.unwrap()).unwrap();
    }
    let mut map = MeasurementMap::new(3);
    for (qubit, clbit) in [(1, 0), (0, 2)] {
        builder.measure(qubit, clbit).unwrap();
        map.measure(qubit, clbit).unwrap();
    }
    let mut other = CircuitBuilder::new(1, 1, 0, NO_LIMITS).unwrap();
    other.measure(0, 0).unwrap();
    let circuits = vec![builder.finish().unwrap(), other.finish().unwrap()];
    written(&(circuits, vec![map, MeasurementMap::identity(1)]))
}

#[test]
fn every_changed_byte() {
    let bytes = example();
    assert!(check(&bytes));
    let mut valid = 0;
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        for value in (0..=255).filter(|value| *value != bytes[index]) {
            changed[index] = value;
            valid += usize::from(check(&changed));
        }
        // The frame tells all of its changes.
        if index < 9 {
            assert_eq!(valid, 0, "{index}");
        }
    }
    // Of an angle's bytes most changes are valid, and of the others some.
    let all = bytes.len() * 255;
    assert!(all / 5 < valid && valid < all / 2, "{valid} of {all}");
}

#[test]
fn every_prefix_and_every_hole() {
    let bytes = example();
    for end in 0..bytes.len() {
        assert!(!check(&bytes[..end]), "{end}");
        assert!(!check(&[&bytes[..end], &bytes[end + 1..]].concat()), "{end}");
        assert!(!check(&[&bytes[..end], &[bytes[end]], &bytes[end..]].concat()), "{end}");
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn circuits_come_back(batch in batch()) {
        let bytes = written(&batch);
        let again = archive::read(&bytes).unwrap();
        prop_assert_eq!(bits(&again), bits(&batch));
        prop_assert_eq!(&again, &batch);
        prop_assert!(check(&bytes));
    }

    #[test]
    fn batches_cut_anywhere_are_refused(batch in batch(), cut in any::<prop::sample::Index>()) {
        let bytes = written(&batch);
        prop_assert!(!check(&bytes[..cut.index(bytes.len())]));
    }

    #[test]
    fn several_changed_bytes(
        batch in batch(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = written(&batch);
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        check(&bytes);
    }

    #[test]
    fn any_bytes(count in 0..4_u32, rest in vec(prop_oneof![0..4_u8, any::<u8>()], 0..200)) {
        check(&rest);
        check(&[&b"AQTB\x01"[..], &count.to_le_bytes(), &rest].concat());
    }

    #[test]
    fn angles_in_radians_lead_back(bits in any::<u64>(), near in 0.0..=7.0) {
        for angle in [f64::from_bits(bits), near] {
            let units = angle / PI;
            if units.is_finite() {
                prop_assert_eq!((radians(units) / PI).to_bits(), units.to_bits());
            }
        }
    }
}
