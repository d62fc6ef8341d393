//! Samples through a measurement map → counts, memory and bit arrays.

use std::collections::HashMap;

use super::samples::Samples;
use crate::circuit::MeasurementMap;

/// The value of the classical bits after each shot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    num_bits: usize,
    values: Values,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Values {
    /// Up to 64 bits: one number a shot, classical bit `i` is its bit `i`.
    Narrow(Vec<u64>),
    /// More bits: rows as in [`Samples`].
    Wide(Vec<u8>),
}

impl Outcomes {
    /// Takes samples through a measurement map. Classical bits without a measurement read 0.
    ///
    /// Returns `None` if the map measures a qubit that the samples do not have.
    #[must_use]
    pub fn new(samples: &Samples, map: &MeasurementMap) -> Option<Self> {
        let in_range = |source: &Option<u32>| {
            source.is_none_or(|qubit| (qubit as usize) < samples.num_qubits())
        };
        if !map.sources().iter().all(in_range) {
            return None;
        }
        let num_bits = map.sources().len();
        let values = if num_bits > 64 {
            Values::Wide(wide(samples, map))
        } else if map.sources().iter().copied().eq((0..).take(samples.num_qubits()).map(Some)) {
            Values::Narrow(rows_as_numbers(samples))
        } else {
            Values::Narrow(narrow(samples, map))
        };
        Some(Self { num_bits, values })
    }

    /// Number of classical bits.
    #[must_use]
    pub fn num_bits(&self) -> usize {
        self.num_bits
    }

    /// The outcomes as samples: classical bit `i` is qubit `i`.
    #[must_use]
    pub fn into_samples(self) -> Samples {
        let stride = self.num_bits.div_ceil(8);
        let (num_shots, rows) = match self.values {
            Values::Narrow(values) => {
                let mut rows = Vec::with_capacity(values.len() * stride);
                for value in &values {
                    rows.extend_from_slice(&value.to_le_bytes()[..stride]);
                }
                (values.len(), rows)
            }
            Values::Wide(rows) => (rows.len() / stride, rows),
        };
        Samples::from_packed(num_shots, self.num_bits, rows)
    }

    /// Rows of `num_bits` bits rounded up to whole bytes, the highest bits first: the layout of
    /// Qiskit's `BitArray`.
    #[must_use]
    pub fn big_endian_rows(&self) -> Vec<u8> {
        let stride = self.num_bits.div_ceil(8);
        match &self.values {
            Values::Narrow(values) => {
                let mut rows = Vec::with_capacity(values.len() * stride);
                for value in values {
                    rows.extend_from_slice(&value.to_be_bytes()[8 - stride..]);
                }
                rows
            }
            Values::Wide(rows) => {
                let mut rows = rows.clone();
                rows.chunks_exact_mut(stride).for_each(<[u8]>::reverse);
                rows
            }
        }
    }

    /// Counts equal outcomes.
    #[must_use]
    pub fn histogram(&self) -> Histogram {
        match &self.values {
            Values::Narrow(values) => Histogram::narrow(values, self.num_bits),
            Values::Wide(rows) => Histogram::wide(rows, self.num_bits.div_ceil(8)),
        }
    }
}

impl Samples {
    /// The same shots of a circuit with `num_qubits` qubits: qubit `i` becomes `qubits[i]`. The
    /// others read 0.
    ///
    /// Returns `None` unless `qubits` has one qubit of the circuit for each qubit of the samples.
    #[must_use]
    pub fn placed(&self, qubits: &[u32], num_qubits: u32) -> Option<Self> {
        if qubits.len() != self.num_qubits() {
            return None;
        }
        let mut map = MeasurementMap::new(num_qubits);
        for (qubit, &target) in (0..).zip(qubits) {
            map.measure(qubit, target).ok()?;
        }
        Outcomes::new(self, &map).map(Outcomes::into_samples)
    }
}

/// The rows themselves, which are at most 64 bits wide.
fn rows_as_numbers(samples: &Samples) -> Vec<u64> {
    fn convert<const STRIDE: usize>(rows: &[u8]) -> Vec<u64> {
        let (rows, _) = rows.as_chunks::<STRIDE>();
        let number = |row: &[u8; STRIDE]| {
            let mut bytes = [0; 8];
            bytes[..STRIDE].copy_from_slice(row);
            u64::from_le_bytes(bytes)
        };
        rows.iter().map(number).collect()
    }
    match samples.stride() {
        1 => convert::<1>(samples.rows()),
        2 => convert::<2>(samples.rows()),
        3 => convert::<3>(samples.rows()),
        4 => convert::<4>(samples.rows()),
        5 => convert::<5>(samples.rows()),
        6 => convert::<6>(samples.rows()),
        7 => convert::<7>(samples.rows()),
        8 => convert::<8>(samples.rows()),
        _ => vec![0; samples.num_shots()],
    }
}

/// A table per byte of a row tells what that byte adds to the outcome.
fn narrow(samples: &Samples, map: &MeasurementMap) -> Vec<u64> {
    let stride = samples.stride();
    if stride == 0 {
        return vec![0; samples.num_shots()];
    }
    let mut contributions = vec![[0_u64; 8]; stride];
    for (clbit, source) in map.sources().iter().enumerate() {
        if let Some(qubit) = *source {
            contributions[qubit as usize / 8][qubit as usize % 8] |= 1 << clbit;
        }
    }
    let tables: Vec<[u64; 256]> = contributions
        .iter()
        .map(|contribution| {
            let mut table = [0; 256];
            for byte in 1..256 {
                table[byte] =
                    table[byte & (byte - 1)] | contribution[byte.trailing_zeros() as usize];
            }
            table
        })
        .collect();
    let add = |value, (&byte, table): (&u8, &[u64; 256])| value | table[usize::from(byte)];
    samples.rows().chunks_exact(stride).map(|row| row.iter().zip(&tables).fold(0, add)).collect()
}

fn wide(samples: &Samples, map: &MeasurementMap) -> Vec<u8> {
    let stride = map.sources().len().div_ceil(8);
    let mut rows = vec![0; samples.num_shots() * stride];
    if samples.stride() == 0 {
        return rows;
    }
    for (row, from) in
        rows.chunks_exact_mut(stride).zip(samples.rows().chunks_exact(samples.stride()))
    {
        for (clbit, source) in map.sources().iter().enumerate() {
            if let Some(qubit) = *source {
                let bit = from[qubit as usize / 8] >> (qubit % 8) & 1;
                row[clbit / 8] |= bit << (clbit % 8);
            }
        }
    }
    rows
}

/// Distinct outcomes in the order in which they first came, and how often each came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    distinct: Distinct,
    counts: Vec<u64>,
    ranks: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Distinct {
    Narrow(Vec<u64>),
    /// Rows of the given number of bytes, lowest bits first.
    Wide(Vec<u8>, usize),
}

/// Marks a free place in a table of ranks.
const FREE: u32 = u32::MAX;

impl Histogram {
    fn narrow(values: &[u64], num_bits: usize) -> Self {
        if num_bits < 30 && 1 << num_bits <= 4 * values.len() {
            // The outcome itself is the place in the table.
            Self::tabulated(values, 1 << num_bits, |value, _, _| {
                usize::try_from(value).unwrap_or(0)
            })
        } else {
            let slots = (2 * values.len()).next_power_of_two().max(2);
            let shift = 64 - slots.trailing_zeros();
            Self::tabulated(values, slots, |value, table, distinct| {
                // Fibonacci hashing with linear probing.
                let hash = value.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> shift;
                let mut slot = usize::try_from(hash).unwrap_or(0);
                while table[slot] != FREE && distinct[table[slot] as usize] != value {
                    slot = (slot + 1) % slots;
                }
                slot
            })
        }
    }

    /// Counts with a table of `slots` ranks; `slot_of` finds an outcome's place in it.
    fn tabulated(
        values: &[u64],
        slots: usize,
        slot_of: impl Fn(u64, &[u32], &[u64]) -> usize,
    ) -> Self {
        let mut table = vec![FREE; slots];
        let (mut distinct, mut counts) = (Vec::new(), Vec::new());
        let mut ranks = Vec::with_capacity(values.len());
        for &value in values {
            let slot = slot_of(value, &table, &distinct);
            let mut rank = table[slot];
            if rank == FREE {
                rank = next_rank(distinct.len());
                table[slot] = rank;
                distinct.push(value);
                counts.push(0);
            }
            counts[rank as usize] += 1;
            ranks.push(rank);
        }
        Self { distinct: Distinct::Narrow(distinct), counts, ranks }
    }

    fn wide(rows: &[u8], stride: usize) -> Self {
        let mut known: HashMap<&[u8], u32> = HashMap::new();
        let (mut distinct, mut counts) = (Vec::new(), Vec::new());
        let mut ranks = Vec::with_capacity(rows.len() / stride);
        for row in rows.chunks_exact(stride) {
            let rank = *known.entry(row).or_insert_with(|| {
                distinct.extend_from_slice(row);
                counts.push(0);
                next_rank(counts.len() - 1)
            });
            counts[rank as usize] += 1;
            ranks.push(rank);
        }
        Self { distinct: Distinct::Wide(distinct, stride), counts, ranks }
    }

    /// How often each distinct outcome came.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// For each shot, in order, the position of its outcome in [`Histogram::counts`].
    #[must_use]
    pub fn ranks(&self) -> &[u32] {
        &self.ranks
    }

    /// The distinct outcome at `rank` as a number, if all outcomes have at most 64 bits.
    #[must_use]
    pub fn value(&self, rank: usize) -> Option<u64> {
        match &self.distinct {
            Distinct::Narrow(values) => values.get(rank).copied(),
            Distinct::Wide(..) => None,
        }
    }

    /// Writes the distinct outcome at `rank` as Qiskit's hexadecimal text, like `0x1f`.
    ///
    /// # Panics
    /// If there is no such rank.
    pub fn write_hex(&self, rank: usize, text: &mut String) {
        text.clear();
        match &self.distinct {
            Distinct::Narrow(values) => {
                // From the last digit to the first, into the end of the longest text.
                let mut digits = [0; 18];
                let mut start = digits.len();
                let mut rest = values[rank];
                loop {
                    start -= 1;
                    digits[start] = HEX_DIGITS[(rest & 15) as usize];
                    rest >>= 4;
                    if rest == 0 {
                        break;
                    }
                }
                digits[start - 2..start].copy_from_slice(b"0x");
                text.extend(str::from_utf8(&digits[start - 2..]));
            }
            Distinct::Wide(rows, stride) => {
                let row = &rows[rank * stride..(rank + 1) * stride];
                let nibbles = row.iter().rev().flat_map(|&byte| [byte >> 4, byte & 15]);
                let significant = nibbles.skip_while(|&nibble| nibble == 0);
                text.push_str("0x");
                text.extend(significant.map(|nibble| char::from(HEX_DIGITS[usize::from(nibble)])));
                if text.len() == 2 {
                    text.push('0');
                }
            }
        }
    }
}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The rank of the next distinct outcome. A body with 2³² shots would have 8 GiB or more.
fn next_rank(number_of_distinct: usize) -> u32 {
    u32::try_from(number_of_distinct).expect("fewer than 2^32 shots")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(num_clbits: u32, measurements: &[(u32, u32)]) -> MeasurementMap {
        let mut map = MeasurementMap::new(num_clbits);
        for &(qubit, clbit) in measurements {
            map.measure(qubit, clbit).unwrap();
        }
        map
    }

    fn hex_counts(outcomes: &Outcomes) -> Vec<(String, u64)> {
        let histogram = outcomes.histogram();
        let mut text = String::new();
        (0..histogram.counts().len())
            .map(|rank| {
                histogram.write_hex(rank, &mut text);
                (text.clone(), histogram.counts()[rank])
            })
            .collect()
    }

    #[test]
    fn permuted_partial_and_repeated_measurements() {
        let samples = Samples::new(3, 10, vec![0b101, 0, 0, 0b10, 0b101, 0]).unwrap();
        let outcomes = Outcomes::new(&samples, &map(4, &[(0, 3), (1, 2), (9, 1), (2, 2)])).unwrap();
        assert_eq!(hex_counts(&outcomes), [("0xc".into(), 2), ("0x2".into(), 1)]);
        assert_eq!(outcomes.histogram().ranks(), [0, 1, 0]);
        assert_eq!(outcomes.big_endian_rows(), [12, 2, 12]);
    }

    #[test]
    fn identity_is_the_row() {
        let samples = Samples::new(2, 20, vec![1, 2, 3, 0, 0, 0]).unwrap();
        let outcomes = Outcomes::new(&samples, &MeasurementMap::identity(20)).unwrap();
        assert_eq!(hex_counts(&outcomes), [("0x30201".into(), 1), ("0x0".into(), 1)]);
        assert_eq!(outcomes.big_endian_rows(), [3, 2, 1, 0, 0, 0]);
    }

    #[test]
    fn registers_wider_than_a_word() {
        let samples = Samples::new(2, 2, vec![0b01, 0b00]).unwrap();
        let outcomes = Outcomes::new(&samples, &map(70, &[(0, 69), (1, 0), (0, 3)])).unwrap();
        assert_eq!(hex_counts(&outcomes), [("0x200000000000000008".into(), 1), ("0x0".into(), 1)]);
        assert_eq!(outcomes.big_endian_rows()[..9], [0x20, 0, 0, 0, 0, 0, 0, 0, 8]);
        assert_eq!(outcomes.histogram().value(0), None);
    }

    #[test]
    fn a_map_beyond_the_samples_is_refused() {
        let samples = Samples::new(1, 2, vec![0]).unwrap();
        assert_eq!(Outcomes::new(&samples, &map(1, &[(2, 0)])), None);
    }

    #[test]
    fn no_shots_and_no_bits() {
        let none = Samples::new(0, 0, vec![]).unwrap();
        let outcomes = Outcomes::new(&none, &map(3, &[])).unwrap();
        assert!(outcomes.histogram().counts().is_empty());
        let samples = Samples::new(5, 3, vec![7; 5]).unwrap();
        let outcomes = Outcomes::new(&samples, &map(0, &[])).unwrap();
        assert_eq!(hex_counts(&outcomes), [("0x0".into(), 5)]);
        assert!(outcomes.big_endian_rows().is_empty());
    }
}
