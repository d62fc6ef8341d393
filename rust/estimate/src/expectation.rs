//! Expectation values from measured rows.
//!
//! Shots are taken in blocks. Of each block, every bit becomes a plane, 64 shots a word. A term's plane
//! of parities is the exclusive or of the planes of its mask; its ones count the shots of value −1.
//! Values of a shot are needed for variances only: eight terms' parities make a byte, whose contribution
//! to the observable is looked up.

use std::{num::NonZero, thread};

use crate::{
    Observables,
    bits::{WORD, count, ones},
};

/// Words of a plane in a block, whose planes then stay in the cache.
const BLOCK: usize = 32;

/// Words of planes that are worth a thread.
const WORK_A_THREAD: usize = 500_000;

/// Terms that share a table.
const LANES: usize = 8;

/// Shots of several runs with equal numbers of them.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'data> {
    bytes: &'data [u8],
    sets: usize,
    shots: usize,
    width: usize,
}

impl<'data> Rows<'data> {
    /// `sets` × `shots` rows of `width` bytes each, the last with bits 0 to 7. `None` if the number of
    /// bytes is another, or without shots.
    #[must_use]
    pub fn new(bytes: &'data [u8], sets: usize, shots: usize, width: usize) -> Option<Self> {
        let size = sets.checked_mul(shots)?.checked_mul(width)?;
        (bytes.len() == size && shots > 0).then_some(Self { bytes, sets, shots, width })
    }
}

/// What was measured, set by set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectations {
    /// Mean of each term.
    pub means: Vec<f64>,
    /// Mean of each observable.
    pub values: Vec<f64>,
    /// Variance of a single shot's value of each observable, unbiased; 0 if there is one shot only.
    pub variances: Vec<f64>,
}

/// Means of terms; means and variances of observables over them.
///
/// Term `k` is the parity of the bits of its mask, −1 if it is odd, times −1 if `negative[k]`. Terms of
/// an observable come from the same shots; the variance is that of their sum, so it has all
/// covariances.
///
/// # Panics
///
/// If masks are not of `words` words a term, if a mask has bits beyond the rows, or if an observable has
/// a term that `negative` has not.
#[must_use]
pub fn expectations(
    rows: Rows<'_>,
    words: usize,
    masks: &[u64],
    negative: &[bool],
    observables: &Observables,
) -> Expectations {
    assert_eq!(masks.len(), words * negative.len(), "a mask for each term");
    let plan = Plan::new(words, masks, negative, observables);
    assert!(plan.num_bits <= 8 * rows.width, "masks within the rows");
    if rows.width == 0 {
        return plan.of_sets(&[], rows.sets, rows);
    }
    let work = (rows.bytes.len() * 8 + plan.work * rows.sets * rows.shots) / WORD;
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(work / WORK_A_THREAD).min(rows.sets).max(1);
    let bytes_a_set = rows.shots * rows.width;
    if threads == 1 {
        return plan.of_sets(rows.bytes, rows.sets, rows);
    }
    let plan = &plan;
    let parts: Vec<Expectations> = thread::scope(|scope| {
        let parts: Vec<_> = rows
            .bytes
            .chunks(rows.sets.div_ceil(threads) * bytes_a_set)
            .map(|part| scope.spawn(move || plan.of_sets(part, part.len() / bytes_a_set, rows)))
            .collect();
        let join = |part: thread::ScopedJoinHandle<'_, _>| match part.join() {
            Ok(found) => found,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        parts.into_iter().map(join).collect()
    });
    let mut all = Expectations::default();
    for part in parts {
        all.means.extend(part.means);
        all.values.extend(part.values);
        all.variances.extend(part.variances);
    }
    all
}

/// An observable with what is computed once for all sets.
struct Prepared {
    /// Its terms.
    terms: Vec<usize>,
    /// Their coefficients.
    coefficients: Vec<f64>,
    /// For each eight terms the sum of their values for each byte of parities; empty if the variance
    /// follows from the mean.
    tables: Vec<[f64; 256]>,
}

/// What is computed once for all sets.
struct Plan {
    /// Bits of each term's mask.
    bits: Vec<Vec<usize>>,
    /// 1 or −1 for each term.
    signs: Vec<f64>,
    observables: Vec<Prepared>,
    /// One more than the highest bit of all masks.
    num_bits: usize,
    /// About how many word operations 64 shots take.
    work: usize,
}

impl Plan {
    fn new(words: usize, masks: &[u64], negative: &[bool], observables: &Observables) -> Self {
        let bits: Vec<Vec<_>> =
            masks.chunks_exact(words).map(|mask| ones(mask.iter().copied()).collect()).collect();
        let signs: Vec<_> = negative.iter().map(|&sign| if sign { -1.0 } else { 1.0 }).collect();
        let observables: Vec<_> = observables
            .iter()
            .map(|(terms, coefficients)| Prepared::new(terms, coefficients, &signs))
            .collect();
        let tables: usize = observables.iter().map(|observable| observable.tables.len()).sum();
        Self {
            num_bits: bits.iter().filter_map(|bits| bits.last()).max().map_or(0, |bit| bit + 1),
            work: bits.iter().map(|bits| bits.len() + 2).sum::<usize>() + tables * 100,
            bits,
            signs,
            observables,
        }
    }

    /// Evaluates sets one after the other.
    fn of_sets(&self, bytes: &[u8], sets: usize, rows: Rows<'_>) -> Expectations {
        let mut found = Expectations::default();
        let mut scratch = Scratch::new(self, rows.width);
        for set in 0..sets {
            let size = rows.shots * rows.width;
            self.of_set(&bytes[set * size..][..size], rows, &mut scratch, &mut found);
        }
        found
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of shots are below 2^53")]
    fn of_set(
        &self,
        bytes: &[u8],
        rows: Rows<'_>,
        scratch: &mut Scratch,
        found: &mut Expectations,
    ) {
        scratch.odd.fill(0);
        scratch.deviations.fill(Deviations::default());
        let mut done = 0;
        while done < rows.shots {
            let shots = (rows.shots - done).min(BLOCK * WORD);
            let block = &bytes[done * rows.width..][..shots * rows.width];
            self.of_block(block, shots, rows.width, scratch);
            done += shots;
        }
        let shots = rows.shots as f64;
        let means = scratch.odd.iter().zip(&self.signs);
        let first = found.means.len();
        found.means.extend(means.map(|(&odd, sign)| sign * (1.0 - 2.0 * odd as f64 / shots)));
        let means = &found.means[first..];
        for (observable, deviations) in self.observables.iter().zip(&scratch.deviations) {
            found.values.push(observable.value(means));
            found.variances.push(if rows.shots == 1 {
                0.0
            } else if observable.tables.is_empty() {
                observable.variance(means) * shots / (shots - 1.0)
            } else {
                deviations.variance(shots)
            });
        }
    }

    /// Adds a block of shots.
    fn of_block(&self, bytes: &[u8], shots: usize, width: usize, scratch: &mut Scratch) {
        let words = shots.div_ceil(WORD);
        scratch.read(bytes, shots, width, self.num_bits);
        for ((bits, parities), odd) in
            self.bits.iter().zip(&mut scratch.parities).zip(&mut scratch.odd)
        {
            let parities = &mut parities[..words];
            match bits.as_slice() {
                [] => parities.fill(0),
                [bit] => parities.copy_from_slice(&scratch.planes[*bit][..words]),
                [one, other, more @ ..] => {
                    let (one, other) = (&scratch.planes[*one], &scratch.planes[*other]);
                    for (parity, (one, other)) in parities.iter_mut().zip(one.iter().zip(other)) {
                        *parity = one ^ other;
                    }
                    for bit in more {
                        let plane = &scratch.planes[*bit];
                        parities.iter_mut().zip(plane).for_each(|(parity, plane)| *parity ^= plane);
                    }
                }
            }
            *odd += u64::from(count(parities.iter().copied()));
        }
        for (observable, deviations) in self.observables.iter().zip(&mut scratch.deviations) {
            if !observable.tables.is_empty() {
                observable.add(&scratch.parities, shots, deviations);
            }
        }
    }
}

impl Prepared {
    fn new(terms: &[usize], coefficients: &[f64], signs: &[f64]) -> Self {
        let tables = if terms.len() < 2 {
            Vec::new()
        } else {
            let signed: Vec<_> =
                terms.iter().zip(coefficients).map(|(&term, value)| signs[term] * value).collect();
            signed.chunks(LANES).map(table).collect()
        };
        Self { terms: terms.to_vec(), coefficients: coefficients.to_vec(), tables }
    }

    /// Mean, from those of the terms.
    fn value(&self, means: &[f64]) -> f64 {
        self.terms.iter().zip(&self.coefficients).map(|(&term, value)| value * means[term]).sum()
    }

    /// Variance of at most one term, from its mean, before the correction for the number of shots.
    fn variance(&self, means: &[f64]) -> f64 {
        let terms = self.terms.iter().zip(&self.coefficients);
        terms.map(|(&term, value)| value * value * (1.0 - means[term] * means[term])).sum()
    }

    /// Adds the values of a block of shots.
    fn add(&self, parities: &[[u64; BLOCK]], shots: usize, deviations: &mut Deviations) {
        for (word, start) in (0..shots).step_by(WORD).enumerate() {
            let mut values = [0.0; WORD];
            for (terms, table) in self.terms.chunks(LANES).zip(&self.tables) {
                let mut lanes = [0; LANES];
                for (lane, &term) in lanes.iter_mut().zip(terms) {
                    *lane = parities[term][word];
                }
                for (values, byte) in values.chunks_exact_mut(LANES).zip(interleave(lanes)) {
                    for (value, byte) in values.iter_mut().zip(byte.to_le_bytes()) {
                        *value += table[usize::from(byte)];
                    }
                }
            }
            deviations.add(&values[..WORD.min(shots - start)]);
        }
    }
}

/// Sum of up to eight terms' values, +c for an even and −c for an odd parity, for each byte of parities.
fn table(coefficients: &[f64]) -> [f64; 256] {
    let mut table = [0.0; 256];
    for (lane, value) in coefficients.iter().enumerate() {
        let (even, odd) = table[..2 << lane].split_at_mut(1 << lane);
        for (even, odd) in even.iter_mut().zip(odd) {
            (*even, *odd) = (*even + value, *even - value);
        }
    }
    table
}

/// Sums of values' deviations from the first value, which keep their digits if values are alike.
#[derive(Clone, Default)]
struct Deviations {
    first: Option<f64>,
    sum: f64,
    squares: f64,
}

impl Deviations {
    fn add(&mut self, values: &[f64]) {
        let first = *self.first.get_or_insert(values[0]);
        // Four sums at once, which do not wait for each other.
        let mut sums = [0.0; 4];
        let mut squares = [0.0; 4];
        for values in values.chunks(4) {
            for ((value, sum), square) in values.iter().zip(&mut sums).zip(&mut squares) {
                let deviation = value - first;
                *sum += deviation;
                *square += deviation * deviation;
            }
        }
        self.sum += sums.iter().sum::<f64>();
        self.squares += squares.iter().sum::<f64>();
    }

    fn variance(&self, shots: f64) -> f64 {
        ((self.squares - self.sum * self.sum / shots) / (shots - 1.0)).max(0.0)
    }
}

/// Memory for one block, and sums over all blocks of a set.
struct Scratch {
    /// For each bit of a row, 64 shots a word.
    planes: Vec<[u64; BLOCK]>,
    /// For each term, 64 shots a word.
    parities: Vec<[u64; BLOCK]>,
    /// For each term, the number of shots with odd parity.
    odd: Vec<u64>,
    deviations: Vec<Deviations>,
}

impl Scratch {
    fn new(plan: &Plan, width: usize) -> Self {
        Self {
            planes: vec![[0; BLOCK]; 8 * width],
            parities: vec![[0; BLOCK]; plan.bits.len()],
            odd: vec![0; plan.bits.len()],
            deviations: vec![Deviations::default(); plan.observables.len()],
        }
    }

    /// Makes planes of the lowest bits of rows. Bits beyond the last shot are 0.
    fn read(&mut self, bytes: &[u8], shots: usize, width: usize, num_bits: usize) {
        for (column, planes) in
            self.planes.chunks_exact_mut(LANES).take(num_bits.div_ceil(LANES)).enumerate()
        {
            let offset = width - 1 - column;
            for word in 0..shots.div_ceil(WORD) {
                let rows = &bytes[word * WORD * width..];
                let mut lanes = [0; WORD];
                if width == 1 {
                    let shots = rows.len().min(WORD);
                    lanes[..shots].copy_from_slice(&rows[..shots]);
                } else {
                    let column = rows[offset..].iter().step_by(width);
                    lanes.iter_mut().zip(column).for_each(|(lane, byte)| *lane = *byte);
                }
                let mut transposed = [0; LANES];
                for (word, bytes) in transposed.iter_mut().zip(lanes.chunks_exact(LANES)) {
                    *word = transpose(gather(bytes));
                }
                // Byte b of word w now has bit b of shots 8 w to 8 w + 7.
                for (bit, plane) in planes.iter_mut().enumerate() {
                    let bytes = transposed.map(|word| word.to_le_bytes()[bit]);
                    plane[word] = u64::from_le_bytes(bytes);
                }
            }
        }
    }
}

/// Eight bytes as a word.
fn gather(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// Eight words of 64 shots → bytes of eight words' bits, shot by shot.
fn interleave(lanes: [u64; LANES]) -> [u64; LANES] {
    let bytes = lanes.map(u64::to_le_bytes);
    std::array::from_fn(|byte| transpose(u64::from_le_bytes(bytes.map(|lane| lane[byte]))))
}

/// Transposes 8 × 8 bits: bit `i` of byte `j` becomes bit `j` of byte `i` (Warren, Hacker's Delight,
/// section 7–3).
const fn transpose(word: u64) -> u64 {
    let mut word = word;
    let mut swap = (word ^ word >> 7) & 0x00AA_00AA_00AA_00AA;
    word ^= swap ^ swap << 7;
    swap = (word ^ word >> 14) & 0x0000_CCCC_0000_CCCC;
    word ^= swap ^ swap << 14;
    swap = (word ^ word >> 28) & 0x0000_0000_F0F0_F0F0;
    word ^ swap ^ swap << 28
}
