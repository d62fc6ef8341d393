//! A batch ↔ bytes that later versions can read.
//!
//! A batch without sweeps is what [`aqt_core::circuit::archive`] writes. Any other one is, with `n`
//! for a u32 and everything little-endian:
//!
//! | what | bytes |
//! |---|---|
//! | magic | `AQTB` |
//! | version | 2 (u8) |
//! | number of templates, each | n, see [`aqt_compile::archive`] |
//! | number of tables of angles | n |
//! | each: number of sets, angles in a set, all values | n, n, f64 |
//! | number of parts | n |
//! | part of circuits | 0 (u8), number of bytes (n), an archive of version 1 |
//! | sweep | 1 (u8), see below |
//!
//! A sweep: index of its template, of the alternative or `0xFFFF_FFFF`, effort (0 to 3), number of
//! classical bits, index of its table, first set, set after the last, number of measurements (all
//! n), and qubit and classical bit of each (n, n).

use std::{ops::Range, sync::Arc};

use aqt_compile::{
    Effort, Template,
    archive::{self as templates, Broken},
};
use aqt_core::{
    ArchiveError,
    circuit::archive::{self as circuits, MAGIC},
};

use crate::{
    batch::{Batch, Part},
    sweep::{Angles, Sweep},
};

/// The version of a batch with sweeps.
pub const VERSION: u8 = 2;

/// Stands for no template.
const NONE: u32 = u32::MAX;

const EFFORTS: [Effort; 4] = [Effort::None, Effort::Merge, Effort::Resynthesise, Effort::Search];

/// Why an archive cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// An archive of circuits, or one of no known version.
    Circuits(ArchiveError),
    /// An archive with sweeps.
    Sweeps(Broken),
}

/// Writes a batch.
///
/// # Panics
/// If something comes more than 2³² − 1 times.
#[must_use]
pub fn write(batch: &Batch) -> Vec<u8> {
    match batch.parts() {
        [] => plain(&Part::Circuits(Vec::new(), Vec::new())),
        [part @ Part::Circuits(..)] => plain(part),
        parts => with_sweeps(parts),
    }
}

fn plain(part: &Part) -> Vec<u8> {
    let Part::Circuits(items, maps) = part else { return Vec::new() };
    let mut bytes = vec![0; circuits::size(items, maps)];
    circuits::write(&mut bytes, items, maps);
    bytes
}

/// Items that several sweeps share, each once.
struct Shared<'a, T> {
    items: Vec<&'a Arc<T>>,
}

impl<'a, T> Shared<'a, T> {
    fn place(&mut self, item: &'a Arc<T>) -> u32 {
        let known = self.items.iter().rposition(|known| Arc::ptr_eq(known, item));
        number(known.unwrap_or_else(|| {
            self.items.push(item);
            self.items.len() - 1
        }))
    }
}

fn number(count: usize) -> u32 {
    let Ok(number) = u32::try_from(count) else { panic!("{count} does not fit an archive") };
    number
}

fn with_sweeps(parts: &[Part]) -> Vec<u8> {
    let mut shared_templates = Shared { items: Vec::new() };
    let mut shared_angles = Shared { items: Vec::new() };
    // Of each table, only the sets that are used are written.
    let mut used: Vec<Range<usize>> = Vec::new();
    for part in parts {
        let Part::Sweep(sweep, sets) = part else { continue };
        match used.get_mut(shared_angles.place(&sweep.angles) as usize) {
            Some(range) => *range = range.start.min(sets.start)..range.end.max(sets.end),
            None => used.push(sets.clone()),
        }
    }
    let mut rest = Vec::new();
    let put = |out: &mut Vec<u8>, value: u32| out.extend_from_slice(&value.to_le_bytes());
    for part in parts {
        match part {
            Part::Circuits(..) => {
                let bytes = plain(part);
                rest.push(0);
                put(&mut rest, number(bytes.len()));
                rest.extend_from_slice(&bytes);
            }
            Part::Sweep(sweep, sets) => {
                let template = shared_templates.place(&sweep.template);
                let alternative = match &sweep.alternative {
                    Some(alternative) => shared_templates.place(alternative),
                    None => NONE,
                };
                let effort = EFFORTS.iter().position(|effort| *effort == sweep.effort);
                let angles = shared_angles.place(&sweep.angles);
                let first = used[angles as usize].start;
                rest.push(1);
                for value in [
                    template,
                    alternative,
                    number(effort.unwrap_or_default()),
                    sweep.num_clbits,
                    angles,
                    number(sets.start - first),
                    number(sets.end - first),
                    number(sweep.measurements.len()),
                ] {
                    put(&mut rest, value);
                }
                for &(qubit, clbit) in &*sweep.measurements {
                    put(&mut rest, qubit);
                    put(&mut rest, clbit);
                }
            }
        }
    }
    let mut out = MAGIC.to_vec();
    out.push(VERSION);
    put(&mut out, number(shared_templates.items.len()));
    for template in shared_templates.items {
        templates::write(template, &mut out);
    }
    put(&mut out, number(shared_angles.items.len()));
    for (angles, sets) in shared_angles.items.into_iter().zip(used) {
        put(&mut out, number(sets.len()));
        put(&mut out, number(angles.width()));
        let row = 8 * angles.width();
        out.extend_from_slice(&angles.bytes()[row * sets.start..row * sets.end]);
    }
    put(&mut out, number(parts.len()));
    out.extend_from_slice(&rest);
    out
}

/// Reads and checks what [`write`] has written. The size of a circuit is not limited.
///
/// # Errors
/// [`Fault`] with the byte offset, for anything that [`write`] does not write.
pub fn read(bytes: &[u8]) -> Result<Batch, Fault> {
    if !bytes.starts_with(&[&MAGIC[..], &[VERSION]].concat()) {
        let (circuits, maps) = circuits::read(bytes).map_err(Fault::Circuits)?;
        return Ok(Batch::new(vec![Part::Circuits(circuits, maps)]));
    }
    let mut reader = Reader { bytes, offset: MAGIC.len() + 1 };
    let mut all_templates = Vec::new();
    for _ in 0..reader.count(12)? {
        let (template, offset) = templates::read(bytes, reader.offset).map_err(Fault::Sweeps)?;
        all_templates.push(Arc::new(template));
        reader.offset = offset;
    }
    let mut all_angles = Vec::new();
    for _ in 0..reader.count(8)? {
        all_angles.push(Arc::new(reader.angles()?));
    }
    let num_parts = reader.count(5)?;
    let mut parts = Vec::with_capacity(num_parts);
    for _ in 0..num_parts {
        parts.push(match reader.byte()? {
            0 => reader.circuits()?,
            1 => reader.sweep(&all_templates, &all_angles)?,
            _ => return reader.broken("a part that does not exist"),
        });
    }
    if reader.offset == bytes.len() {
        Ok(Batch::new(parts))
    } else {
        reader.broken("something follows the last part")
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Reader<'_> {
    fn broken<T>(&self, reason: &'static str) -> Result<T, Fault> {
        Err(Fault::Sweeps(Broken { reason, offset: self.offset }))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let Some(value) = self.bytes.get(self.offset..).and_then(|rest| rest.first_chunk()) else {
            return self.broken("the archive stops here");
        };
        self.offset += N;
        Ok(*value)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        self.take().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u32, Fault> {
        self.take().map(u32::from_le_bytes)
    }

    /// Takes the number of items that follow, each of at least `size` bytes.
    fn count(&mut self, size: usize) -> Result<usize, Fault> {
        let count = self.number()? as usize;
        if count > (self.bytes.len() - self.offset) / size {
            return self.broken("more items than bytes");
        }
        Ok(count)
    }

    fn angles(&mut self) -> Result<Angles, Fault> {
        let (num_sets, width) = (self.number()? as usize, self.number()? as usize);
        if width == 0 && num_sets > MOST_EMPTY_SETS {
            return self.broken("more sets than a job has");
        }
        let rest = &self.bytes[self.offset..];
        let size = num_sets.checked_mul(width).and_then(|count| count.checked_mul(8));
        let Some(bytes) = size.and_then(|size| rest.get(..size)) else {
            return self.broken("more angles than bytes");
        };
        let (values, _) = bytes.as_chunks();
        if !values.iter().all(|value| f64::from_le_bytes(*value).is_finite()) {
            return self.broken("an angle that is not finite");
        }
        self.offset += bytes.len();
        match Angles::new(num_sets, width, bytes.to_vec()) {
            Some(angles) => Ok(angles),
            None => self.broken("other angles than sets"),
        }
    }

    fn circuits(&mut self) -> Result<Part, Fault> {
        let size = self.count(1)?;
        let begin = self.offset;
        self.offset += size;
        match circuits::read(&self.bytes[begin..self.offset]) {
            Ok((circuits, maps)) => Ok(Part::Circuits(circuits, maps)),
            Err(ArchiveError { kind, offset }) => {
                Err(Fault::Circuits(ArchiveError { kind, offset: begin + offset }))
            }
        }
    }

    fn sweep(
        &mut self,
        templates: &[Arc<Template>],
        tables: &[Arc<Angles>],
    ) -> Result<Part, Fault> {
        let template = templates.get(self.number()? as usize).cloned();
        let alternative = match self.number()? {
            NONE => Some(None),
            index => templates.get(index as usize).cloned().map(Some),
        };
        let effort = EFFORTS.get(self.number()? as usize).copied();
        let num_clbits = self.number()?;
        let angles = tables.get(self.number()? as usize).cloned();
        let sets = self.number()? as usize..self.number()? as usize;
        let mut measurements = Vec::new();
        for _ in 0..self.count(8)? {
            measurements.push((self.number()?, self.number()?));
        }
        let (Some(template), Some(alternative), Some(effort), Some(angles)) =
            (template, alternative, effort, angles)
        else {
            return self.broken("a sweep of what does not exist");
        };
        // Memory is taken for each classical bit.
        let sweep = (num_clbits <= MOST_CLBITS).then(|| {
            Sweep::new(template, alternative, effort, measurements.into(), num_clbits, angles)
        });
        match sweep.flatten() {
            Some(sweep)
                if sets.start <= sets.end
                    && sets.end <= sweep.len()
                    && sweep.num_qubits() > 0
                    && sweep.has_measurements() =>
            {
                Ok(Part::Sweep(sweep, sets))
            }
            _ => self.broken("a sweep that cannot be"),
        }
    }
}

/// More sets without angles than any job has: they take no bytes.
const MOST_EMPTY_SETS: usize = 1 << 24;

/// More than any circuit has, and few enough for the memory.
const MOST_CLBITS: u32 = 1 << 24;

#[cfg(test)]
mod tests {
    use aqt_compile::{FreeGate, Item, Param, Program, gates::Gate};
    use aqt_core::{CircuitBuilder, Limits, MeasurementMap, Operation};

    use super::*;

    fn sweep() -> Sweep {
        let item = |name: &[u8], params: &[f64], on: &[u32]| {
            let mut qubits = [0; 4];
            qubits[..on.len()].copy_from_slice(on);
            Item::Gate(Gate::standard(name, on.len(), params).unwrap(), qubits)
        };
        let items = vec![
            item(b"h", &[], &[0]),
            item(b"cx", &[], &[0, 1]),
            item(b"ry", &[0.0], &[1]),
            item(b"swap", &[], &[0, 2]),
        ];
        let program = Program { num_qubits: 3, items, measured: vec![true, true, false] };
        let gate = FreeGate { name: b"ry".into(), qubits: vec![1], params: vec![Param::Angle(1)] };
        let template = Arc::new(Template::new(program, vec![(2, gate)]).unwrap());
        let values = [0.0, 0.5, 0.0, -1.5, 0.0, 0.0].map(f64::to_le_bytes);
        let angles = Angles::new(3, 2, values.concat()).unwrap();
        Sweep::new(
            template.clone(),
            Some(template),
            Effort::Resynthesise,
            [(0, 1), (1, 0)].into(),
            3,
            Arc::new(angles),
        )
        .unwrap()
    }

    fn batch() -> Batch {
        let mut builder = CircuitBuilder::new(1, 1, 1, Limits::default()).unwrap();
        builder.gate(Operation::rz(0, 0.5).unwrap()).unwrap();
        builder.measure(0, 0).unwrap();
        let circuits =
            Part::Circuits(vec![builder.finish().unwrap()], vec![MeasurementMap::identity(1)]);
        Batch::new(vec![Part::Sweep(sweep(), 1..3), circuits, Part::Sweep(sweep(), 0..1)])
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = write(&batch());
        let again = read(&bytes).unwrap();
        assert!(again == batch() && again.len() == 4);
        assert_eq!(write(&again), bytes);
    }

    #[test]
    fn circuits_alone_are_an_archive_of_the_first_version() {
        let alone = batch().part(2..3).unwrap();
        let bytes = write(&alone);
        assert_eq!(bytes[4], 1);
        assert!(read(&bytes).unwrap() == alone);
        assert!(read(&write(&Batch::default())).unwrap().is_empty());
    }

    #[test]
    fn a_part_is_written_without_the_sets_of_others() {
        let whole = batch();
        let sizes: Vec<_> = (1..=2)
            .map(|stop| {
                let part = whole.part(0..stop).unwrap();
                let bytes = write(&part);
                assert!(read(&bytes).unwrap() == part);
                bytes.len()
            })
            .collect();
        // A set of two angles.
        assert_eq!(sizes[1] - sizes[0], 16);
        let last = whole.part(3..4).unwrap();
        assert!(read(&write(&last)).unwrap() == last);
        assert_eq!(write(&last).len(), sizes[0]);
    }

    #[test]
    fn parts_hold_the_same_circuits() {
        let whole = batch();
        for start in 0..=4 {
            for stop in start..=4 {
                let part = whole.part(start..stop).unwrap();
                assert_eq!(part.len(), stop - start);
                for index in start..stop {
                    let found = part.reader().circuit(index - start);
                    assert_eq!(found, whole.reader().circuit(index));
                }
            }
        }
        assert!(whole.part(0..5).is_none());
    }

    #[test]
    fn no_archive_that_was_cut_or_changed_ends_in_a_panic() {
        let bytes = write(&batch());
        for stop in 0..bytes.len() {
            assert!(read(&bytes[..stop]).is_err(), "{stop}");
        }
        for place in 0..bytes.len() {
            for value in [0, 1, 2, 255] {
                let mut changed = bytes.clone();
                changed[place] = value;
                if let Ok(batch) = read(&changed) {
                    let mut reader = batch.reader();
                    assert!((0..batch.len()).all(|index| reader.circuit(index).is_some()));
                }
            }
        }
    }

    #[test]
    fn problems_name_the_set() {
        let limits = |qubits, operations| Limits { qubits, operations };
        let count = |limits| sweep().problems(limits).len();
        assert_eq!(count(limits(3, 2000)), 0);
        assert_eq!(count(limits(2, 2000)), 3);
        assert_eq!(count(limits(3, 3)), 3);
        let found = sweep().problems(limits(3, 5));
        assert!(found.iter().all(|problem| problem.set < 2), "{found:?}");
    }
}
