//! Properties of measurement maps, outcomes and histograms.

use std::collections::HashMap;

use aqt_core::{MeasurementMap, Outcomes, Samples};
use proptest::{collection::vec, prelude::*, sample::select};

fn cases(number: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(number) }
}

/// Shots as lists of bits, and how many bits each has.
type Shots = (usize, Vec<Vec<bool>>);

/// Shots of a given width; few distinct ones in half of the cases.
fn shots(width: usize) -> impl Strategy<Value = Shots> {
    let any_rows = vec(any::<u128>(), 0..60);
    let few = (vec(any::<u128>(), 1..5), vec(any::<prop::sample::Index>(), 0..200))
        .prop_map(|(rows, picks)| picks.iter().map(|pick| *pick.get(&rows)).collect::<Vec<_>>());
    prop_oneof![any_rows, few].prop_map(move |rows| {
        let row = |bits: u128| (0..width).map(|qubit| bits >> qubit & 1 == 1).collect();
        (width, rows.into_iter().map(row).collect())
    })
}

fn packed((width, rows): &Shots) -> Samples {
    let stride = width.div_ceil(8);
    let mut bytes = vec![0; rows.len() * stride];
    for (shot, row) in rows.iter().enumerate() {
        for (qubit, &bit) in row.iter().enumerate() {
            bytes[shot * stride + qubit / 8] |= u8::from(bit) << (qubit % 8);
        }
    }
    Samples::new(rows.len(), *width, bytes).unwrap()
}

/// A number of classical bits and measurements of (qubit, classical bit) in order.
type Measurements = (u32, Vec<(u32, u32)>);

fn num_clbits() -> impl Strategy<Value = u32> {
    prop_oneof![0..100_u32, 0..9_u32, select(vec![29, 30, 31, 32, 33, 63, 64, 65, 71, 72, 73])]
}

fn measurements(num_qubits: u32) -> impl Strategy<Value = Measurements> {
    num_clbits().prop_flat_map(move |num_clbits| {
        let (qubit, clbit) = (0..num_qubits.max(1), 0..num_clbits.max(1));
        let most = if num_qubits == 0 || num_clbits == 0 { 0 } else { 120 };
        (Just(num_clbits), vec((qubit, clbit), 0..=most))
    })
}

fn map((num_clbits, measurements): &Measurements) -> MeasurementMap {
    let mut map = MeasurementMap::new(*num_clbits);
    for &(qubit, clbit) in measurements {
        map.measure(qubit, clbit).unwrap();
    }
    map
}

/// The classical bits after a shot: each measurement in order overwrites its bit.
fn measure(row: &[bool], (num_clbits, measurements): &Measurements) -> Vec<bool> {
    let mut bits = vec![false; *num_clbits as usize];
    for &(qubit, clbit) in measurements {
        bits[clbit as usize] = row[qubit as usize];
    }
    bits
}

/// `0x` and the digits without leading zeros.
fn hex(bits: &[bool]) -> String {
    let digit = |nibble: &[bool]| {
        let value = nibble.iter().rev().fold(0, |value, &bit| 2 * value + u32::from(bit));
        char::from_digit(value, 16).unwrap()
    };
    let digits: String = bits.chunks(4).rev().map(digit).collect();
    let significant = digits.trim_start_matches('0');
    format!("0x{}", if significant.is_empty() { "0" } else { significant })
}

/// The bits in whole bytes, the highest first.
fn big_endian(bits: &[bool]) -> Vec<u8> {
    let byte = |bits: &[bool]| {
        bits.iter().enumerate().map(|(place, &bit)| u8::from(bit) << place).sum::<u8>()
    };
    bits.chunks(8).rev().map(byte).collect()
}

/// Compares outcomes and histogram of samples through a map with the naive ones.
fn check(shots: &Shots, measurements: &Measurements) -> Result<(), TestCaseError> {
    let outcomes = Outcomes::new(&packed(shots), &map(measurements)).unwrap();
    let expected: Vec<_> = shots.1.iter().map(|row| measure(row, measurements)).collect();
    prop_assert_eq!(outcomes.num_bits(), measurements.0 as usize);
    let rows: Vec<_> = expected.iter().flat_map(|bits| big_endian(bits)).collect();
    prop_assert_eq!(outcomes.big_endian_rows(), rows);

    let texts: Vec<_> = expected.iter().map(|bits| hex(bits)).collect();
    let mut counts: HashMap<&str, u64> = HashMap::new();
    let mut order: Vec<&str> = Vec::new();
    for text in &texts {
        let count = counts.entry(text).or_insert(0);
        if *count == 0 {
            order.push(text);
        }
        *count += 1;
    }
    let histogram = outcomes.histogram();
    prop_assert_eq!(histogram.counts().len(), order.len());
    let mut text = String::from("not empty before");
    for (rank, expected) in order.iter().enumerate() {
        histogram.write_hex(rank, &mut text);
        prop_assert_eq!(&text, expected);
        prop_assert_eq!(histogram.counts()[rank], counts[expected]);
        let value = u64::from_str_radix(&text[2..], 16).ok().filter(|_| measurements.0 <= 64);
        prop_assert_eq!(histogram.value(rank), value);
    }
    prop_assert_eq!(histogram.value(order.len()), None);
    prop_assert_eq!(histogram.ranks().len(), texts.len());
    for (&rank, text) in histogram.ranks().iter().zip(&texts) {
        prop_assert_eq!(order[rank as usize], text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(8000))]

    /// Outcomes, counts, ranks and rows are those of a naive version, for any map: bits without a
    /// measurement, bits with several, qubits measured more than once.
    #[test]
    fn any_map_gives_what_a_naive_version_gives(
        (shots, measurements) in (0..=40_usize).prop_flat_map(|width| {
            (shots(width), measurements(u32::try_from(width).unwrap()))
        }),
    ) {
        check(&shots, &measurements)?;
    }

    /// The same for the identity, which has a way of its own, and for maps that nearly are it.
    #[test]
    fn the_identity_and_its_neighbours_give_what_a_naive_version_gives(
        shots in (0..=70_usize).prop_flat_map(shots),
        change in prop::option::of((any::<u32>(), any::<u32>())),
        more in prop_oneof![3 => Just(0), 1 => -2..3_i32],
    ) {
        let num_qubits = u32::try_from(shots.0).unwrap();
        let num_clbits = num_qubits.saturating_add_signed(more);
        let both = num_qubits.min(num_clbits);
        let mut measurements = (num_clbits, (0..both).map(|bit| (bit, bit)).collect::<Vec<_>>());
        if more == 0 {
            prop_assert_eq!(&map(&measurements), &MeasurementMap::identity(num_qubits));
        }
        if let Some((qubit, clbit)) = change.filter(|_| both > 0) {
            measurements.1.push((qubit % num_qubits, clbit % num_clbits));
        }
        check(&shots, &measurements)?;
    }

    /// A map that measures a qubit beyond the samples is refused, and so is a classical bit
    /// beyond the map; only the last measurement into a bit counts.
    #[test]
    fn maps_beyond_the_samples_are_refused(
        shots in (0..20_usize).prop_flat_map(shots),
        num_clbits in num_clbits(),
        steps in vec((0..24_u32, 0..110_u32), 0..10),
    ) {
        let mut map = MeasurementMap::new(num_clbits);
        let mut last = HashMap::new();
        for (qubit, clbit) in steps {
            prop_assert_eq!(map.measure(qubit, clbit).is_ok(), clbit < num_clbits);
            if clbit < num_clbits {
                last.insert(clbit, qubit);
            }
        }
        for (clbit, source) in (0..num_clbits).zip(map.sources()) {
            prop_assert_eq!(*source, last.get(&clbit).copied());
        }
        let fits = last.values().all(|&qubit| (qubit as usize) < shots.0);
        prop_assert_eq!(Outcomes::new(&packed(&shots), &map).is_some(), fits);
    }

    /// Packed rows give back the bits, and are refused with a byte too few or too many or with a
    /// bit beyond the last qubit.
    #[test]
    fn packed_rows_are_checked(
        shots in (0..=70_usize).prop_flat_map(shots),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let samples = packed(&shots);
        let (width, rows) = &shots;
        for (shot, row) in rows.iter().enumerate() {
            for (qubit, &bit) in row.iter().enumerate() {
                prop_assert_eq!(samples.get(shot, qubit), bit);
            }
        }
        let bytes = samples.rows().to_vec();
        let with = |bytes| Samples::new(rows.len(), *width, bytes);
        prop_assert_eq!(with([&bytes[..], &[0]].concat()), None);
        if !bytes.is_empty() {
            prop_assert_eq!(with(bytes[1..].to_vec()), None);
            let place = place.index(bytes.len());
            let mut changed = bytes.clone();
            changed[place] |= 1 << bit;
            let inside = place % samples.stride() * 8 + usize::from(bit) < *width;
            prop_assert_eq!(with(changed).is_some(), inside);
        }
    }
}
