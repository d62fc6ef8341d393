//! Circuits and sweeps in one row, numbered from 0.

use std::{borrow::Cow, num::NonZero, ops::Range, panic, thread};

use aqt_core::{Circuit, GateCounts, Limits, MeasurementMap};

use crate::sweep::{Sweep, SweepCompiler};

/// Limits that every circuit meets that was checked before.
const CHECKED: Limits = Limits { qubits: u32::MAX, operations: usize::MAX };

/// Number of compiled circuits that are worth a thread, which takes some 30 µs to start.
const CIRCUITS_A_THREAD: usize = 10;

/// A circuit with its measurement map.
pub type Read<'a> = (Cow<'a, Circuit>, Cow<'a, MeasurementMap>);

/// A part of a batch.
#[derive(Clone)]
pub enum Part {
    /// Circuits with their measurement maps.
    Circuits(Vec<Circuit>, Vec<MeasurementMap>),
    /// The circuits of a sweep, and the first and last of its sets.
    Sweep(Sweep, Range<usize>),
}

impl Part {
    fn len(&self) -> usize {
        match self {
            Self::Circuits(circuits, _) => circuits.len(),
            Self::Sweep(_, sets) => sets.len(),
        }
    }
}

/// Circuits and sweeps that were checked.
#[derive(Clone, Default)]
pub struct Batch {
    parts: Vec<Part>,
    /// The index after the last circuit of each part.
    ends: Vec<usize>,
}

impl Batch {
    /// Parts in order; each circuit has a measurement map, and each sweep has these sets.
    #[must_use]
    pub fn new(parts: Vec<Part>) -> Self {
        let mut end = 0;
        let parts: Vec<_> = parts.into_iter().filter(|part| part.len() > 0).collect();
        let ends = parts.iter().map(|part| {
            end += part.len();
            end
        });
        Self { ends: ends.collect(), parts }
    }

    /// The parts.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Number of circuits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    /// Whether there are no circuits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Reads circuits in any order; neighbours of one sweep share a compiler.
    #[must_use]
    pub fn reader(&self) -> Reader<'_> {
        Reader { batch: self, compiler: None }
    }

    /// The circuits in a range, as far as there are; compiled on several threads if that pays.
    ///
    /// # Panics
    /// As [`Reader::circuit`].
    #[must_use]
    pub fn circuits(&self, range: Range<usize>) -> Vec<Read<'_>> {
        self.each(range, |read| read)
    }

    /// How many gates of each circuit in a range take time, as [`Batch::circuits`] reads them.
    ///
    /// # Panics
    /// As [`Reader::circuit`].
    #[must_use]
    pub fn gate_counts(&self, range: Range<usize>) -> Vec<GateCounts> {
        self.each(range, |(circuit, _)| circuit.gate_counts())
    }

    /// What `of` makes of each circuit in a range; circuits are compiled on several threads if that
    /// pays.
    fn each<'a, T: Send>(
        &'a self,
        range: Range<usize>,
        of: impl Fn(Read<'a>) -> T + Copy + Send,
    ) -> Vec<T> {
        let range = range.start..range.end.min(self.len());
        let read = move |part: Range<usize>| -> Vec<_> {
            let mut reader = self.reader();
            part.map_while(|index| reader.circuit(index).map(of)).collect()
        };
        let compiled = range.clone().filter(|&index| self.is_compiled(index)).count();
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = cores.min(compiled / CIRCUITS_A_THREAD);
        if threads < 2 {
            return read(range);
        }
        let size = range.len().div_ceil(threads);
        thread::scope(|scope| {
            let others: Vec<_> = (range.start + size..range.end)
                .step_by(size)
                .map(|start| scope.spawn(move || read(start..range.end.min(start + size))))
                .collect();
            let mut found = read(range.start..range.start + size);
            for other in others {
                match other.join() {
                    Ok(others) => found.extend(others),
                    Err(reason) => panic::resume_unwind(reason),
                }
            }
            found
        })
    }

    /// Whether a circuit comes from a sweep.
    fn is_compiled(&self, index: usize) -> bool {
        self.place(index).is_some_and(|(part, _)| matches!(self.parts[part], Part::Sweep(..)))
    }

    /// Number of qubits of a circuit, None if there is none with this index.
    #[must_use]
    pub fn num_qubits(&self, index: usize) -> Option<u32> {
        let (part, place) = self.place(index)?;
        Some(match &self.parts[part] {
            Part::Circuits(circuits, _) => circuits[place].num_qubits(),
            Part::Sweep(sweep, _) => sweep.num_qubits(),
        })
    }

    /// Number of classical bits of a circuit, None if there is none with this index.
    #[must_use]
    pub fn num_clbits(&self, index: usize) -> Option<u32> {
        let (part, place) = self.place(index)?;
        Some(match &self.parts[part] {
            Part::Circuits(_, maps) => maps[place].num_clbits(),
            Part::Sweep(sweep, _) => sweep.num_clbits(),
        })
    }

    /// The circuits in a range as a batch of their own, None if there are not as many.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Option<Self> {
        if range.start > range.end || range.end > self.len() {
            return None;
        }
        let mut start = 0;
        let mut parts = Vec::new();
        for (part, &end) in self.parts.iter().zip(&self.ends) {
            let (from, to) = (range.start.clamp(start, end), range.end.clamp(start, end));
            let (from, to) = (from - start, to - start);
            parts.push(match part {
                Part::Circuits(circuits, maps) => {
                    Part::Circuits(circuits[from..to].to_vec(), maps[from..to].to_vec())
                }
                Part::Sweep(sweep, sets) => {
                    Part::Sweep(sweep.clone(), sets.start + from..sets.start + to)
                }
            });
            start = end;
        }
        Some(Self::new(parts))
    }

    /// The part of a circuit, and its place there.
    fn place(&self, index: usize) -> Option<(usize, usize)> {
        let part = self.ends.partition_point(|&end| end <= index);
        let start = if part == 0 { 0 } else { self.ends[part - 1] };
        (part < self.parts.len()).then(|| (part, index - start))
    }
}

impl PartialEq for Batch {
    /// Whether the circuits are equal, wherever they come from.
    fn eq(&self, other: &Self) -> bool {
        let (mut ours, mut theirs) = (self.reader(), other.reader());
        self.len() == other.len()
            && (0..self.len()).all(|index| ours.circuit(index) == theirs.circuit(index))
    }
}

/// Circuits of a batch, compiled where they come from a sweep.
pub struct Reader<'a> {
    batch: &'a Batch,
    /// The compiler of the sweep that was read last, and the index of its part.
    compiler: Option<(usize, SweepCompiler<'a>)>,
}

impl<'a> Reader<'a> {
    /// A circuit with its measurement map, None if there is none with this index.
    ///
    /// # Panics
    /// If a sweep was not checked and has a circuit that cannot run.
    pub fn circuit(&mut self, index: usize) -> Option<(Cow<'a, Circuit>, Cow<'a, MeasurementMap>)> {
        let (part, place) = self.batch.place(index)?;
        match &self.batch.parts[part] {
            Part::Circuits(circuits, maps) => {
                Some((Cow::Borrowed(&circuits[place]), Cow::Borrowed(&maps[place])))
            }
            Part::Sweep(sweep, sets) => {
                if self.compiler.as_ref().is_none_or(|(known, _)| *known != part) {
                    self.compiler = Some((part, sweep.compiler()));
                }
                let (_, compiler) = self.compiler.as_mut()?;
                match compiler.circuit(sets.start + place, CHECKED) {
                    Ok((circuit, map)) => Some((Cow::Owned(circuit), Cow::Owned(map))),
                    Err(error) => panic!("circuit {index} was not checked: {error:?}"),
                }
            }
        }
    }
}
