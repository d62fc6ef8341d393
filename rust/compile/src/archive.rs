//! Templates ↔ bytes that later versions can read.
//!
//! All numbers are little-endian and nothing is aligned; `f` is an f64, `n` a u32.
//!
//! | what | bytes |
//! |---|---|
//! | number of qubits | n |
//! | each qubit: whether it is measured | 0 or 1 (u8) |
//! | number of items | n |
//! | each item | tag (u8), then see below |
//! | number of gates with free parameters | n |
//! | each such gate | index of its item (n), name, qubits, parameters: a u8 that counts them, then each |
//!
//! A parameter is 0 (u8) and a value (f), or 1 (u8) and the index of an angle (n). Items:
//!
//! | tag | item | bytes |
//! |---|---|---|
//! | 0 | barrier | number of qubits (n), each qubit (n) |
//! | 1 | unitary | two qubits (n), 16 entries row by row: real and imaginary part (f) |
//! | 2 | global phase | α (f) |
//! | 3, 4, 5 | R, RZ, any rotation | qubit (n), phase (f), θ and φ; φ; or w, x, y, z (f) |
//! | 6 | pair | two qubits (n), two axes (3 f each), θ (f) |
//! | 7 | controlled | two qubits (n), axis, θ, phase (f) |
//! | 8, 9 | two or three controls | three or four qubits (n), axis, θ (f) |
//! | 10 | exchange-like | two qubits (n), θ, β, sign (f) |
//! | 11 to 17 | ECR, SWAP, iSWAP, DCX, CSWAP, RCCX, RC3X | their qubits (n) |

use crate::{
    Item, Program,
    complex::{Complex, Matrix},
    gates::{Axis, Gate, OneQubitGate},
    rotation::Rotation,
    template::{FreeGate, Param, Template, are_different},
};

/// Gates without numbers, in the order of their tags.
const PLAIN: [Gate; 7] = [
    Gate::EchoedCrossResonance,
    Gate::Swap,
    Gate::ISwap,
    Gate::DoubleCx,
    Gate::ControlledSwap,
    Gate::RelativeCcx,
    Gate::RelativeC3x,
];

const FIRST_PLAIN: u8 = 11;

/// How far the squares of a unit vector may add up to anything but 1.
const UNIT: f64 = 1e-6;

/// Why an archive cannot be read, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What is wrong.
    pub reason: &'static str,
    /// Byte offset at which it shows.
    pub offset: usize,
}

/// Appends a template.
///
/// # Panics
/// If something comes more than 2³² − 1 times.
pub fn write(template: &Template, out: &mut Vec<u8>) {
    let program = template.program();
    let mut writer = Writer { out };
    writer.number(program.num_qubits);
    writer.out.extend(program.measured.iter().map(|&is_measured| u8::from(is_measured)));
    writer.count(program.items.len());
    for item in &program.items {
        writer.item(item);
    }
    writer.count(template.free().len());
    for (index, gate) in template.free() {
        writer.count(*index);
        writer.byte(gate.name.len());
        writer.out.extend_from_slice(&gate.name);
        writer.byte(gate.qubits.len());
        writer.numbers(&gate.qubits);
        writer.byte(gate.params.len());
        for param in &gate.params {
            match *param {
                Param::Value(value) => {
                    writer.byte(0);
                    writer.floats(&[value]);
                }
                Param::Angle(angle) => {
                    writer.byte(1);
                    writer.number(angle);
                }
            }
        }
    }
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    fn byte(&mut self, value: usize) {
        let Ok(value) = u8::try_from(value) else { panic!("{value} does not fit an archive") };
        self.out.push(value);
    }

    fn number(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn numbers(&mut self, values: &[u32]) {
        for &value in values {
            self.number(value);
        }
    }

    fn count(&mut self, count: usize) {
        let Ok(count) = u32::try_from(count) else { panic!("{count} does not fit an archive") };
        self.number(count);
    }

    fn floats(&mut self, values: &[f64]) {
        for value in values {
            self.out.extend_from_slice(&value.to_le_bytes());
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Barrier(qubits) => {
                self.byte(0);
                self.count(qubits.len());
                self.numbers(qubits);
            }
            Item::Unitary(matrix, qubits) => {
                self.byte(1);
                self.numbers(qubits);
                for entry in matrix.iter().flatten() {
                    self.floats(&[entry.re, entry.im]);
                }
            }
            Item::Gate(gate, qubits) => self.gate(gate, &qubits[..gate.num_qubits()]),
        }
    }

    fn gate(&mut self, gate: &Gate, qubits: &[u32]) {
        let mut put = |tag: usize, floats: &[f64]| {
            self.byte(tag);
            self.numbers(qubits);
            self.floats(floats);
        };
        match *gate {
            Gate::Phase(alpha) => put(2, &[alpha]),
            Gate::Single { rotation: OneQubitGate::R(theta, phi), phase } => {
                put(3, &[phase, theta, phi]);
            }
            Gate::Single { rotation: OneQubitGate::Rz(phi), phase } => put(4, &[phase, phi]),
            Gate::Single { rotation: OneQubitGate::Other(Rotation { w, x, y, z }), phase } => {
                put(5, &[phase, w, x, y, z]);
            }
            Gate::Pair { axes: [first, second], theta } => {
                put(6, &[first.parts(), second.parts()].concat());
                self.floats(&[theta]);
            }
            Gate::Controlled { axis, theta, phase } => {
                put(7, &axis.parts());
                self.floats(&[theta, phase]);
            }
            Gate::MultiControlled { axis, theta, controls } => {
                put(if controls == 2 { 8 } else { 9 }, &axis.parts());
                self.floats(&[theta]);
            }
            Gate::ExchangeLike { theta, beta, sign } => put(10, &[theta, beta, sign]),
            plain => {
                let place = PLAIN.iter().position(|known| *known == plain).unwrap_or_default();
                put(usize::from(FIRST_PLAIN) + place, &[]);
            }
        }
    }
}

/// Reads and checks a template at `offset`; returns it and the offset behind it.
///
/// # Errors
/// [`Broken`], for anything that [`write`] does not write.
pub fn read(bytes: &[u8], offset: usize) -> Result<(Template, usize), Broken> {
    let mut reader = Reader { bytes, offset };
    let num_qubits = reader.count(1)?;
    let measured = (0..num_qubits).map(|_| reader.flag()).collect::<Result<_, _>>()?;
    let num_qubits = u32::try_from(num_qubits).unwrap_or(u32::MAX);
    let num_items = reader.count(1)?;
    let items = (0..num_items).map(|_| reader.item(num_qubits)).collect::<Result<_, _>>()?;
    let begin = reader.offset;
    let num_free = reader.count(7)?;
    let free = (0..num_free).map(|_| reader.free()).collect::<Result<_, _>>()?;
    match Template::new(Program { num_qubits, items, measured }, free) {
        Some(template) => Ok((template, reader.offset)),
        None => Err(Broken { reason: "a gate that does not exist", offset: begin }),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Reader<'_> {
    fn broken<T>(&self, reason: &'static str) -> Result<T, Broken> {
        Err(Broken { reason, offset: self.offset })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let Some(value) = self.bytes.get(self.offset..).and_then(|rest| rest.first_chunk()) else {
            return self.broken("the archive stops here");
        };
        self.offset += N;
        Ok(*value)
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        self.take().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Result<bool, Broken> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => self.broken("neither 0 nor 1"),
        }
    }

    fn number(&mut self) -> Result<u32, Broken> {
        self.take().map(u32::from_le_bytes)
    }

    /// Takes the number of items that follow, each of at least `size` bytes.
    fn count(&mut self, size: usize) -> Result<usize, Broken> {
        let count = self.number()? as usize;
        if count > (self.bytes.len() - self.offset) / size {
            return self.broken("more items than bytes");
        }
        Ok(count)
    }

    fn float(&mut self) -> Result<f64, Broken> {
        let value = f64::from_le_bytes(self.take()?);
        if value.is_finite() { Ok(value) } else { self.broken("a number that is not finite") }
    }

    fn floats<const N: usize>(&mut self) -> Result<[f64; N], Broken> {
        let mut values = [0.0; N];
        for value in &mut values {
            *value = self.float()?;
        }
        Ok(values)
    }

    /// Takes numbers whose squares add up to 1.
    fn unit<const N: usize>(&mut self) -> Result<[f64; N], Broken> {
        let values = self.floats::<N>()?;
        let size: f64 = values.iter().map(|value| value * value).sum();
        if (size - 1.0).abs() < UNIT { Ok(values) } else { self.broken("no vector of length 1") }
    }

    fn axis(&mut self) -> Result<Axis, Broken> {
        self.unit().map(Axis::from_parts)
    }

    fn qubits<const N: usize>(&mut self, num_qubits: u32) -> Result<[u32; 4], Broken> {
        let mut qubits = [0; 4];
        for qubit in &mut qubits[..N] {
            *qubit = self.number()?;
        }
        if are_different(&qubits[..N], num_qubits) {
            Ok(qubits)
        } else {
            self.broken("qubits that the program does not have")
        }
    }

    fn item(&mut self, num_qubits: u32) -> Result<Item, Broken> {
        let tag = self.byte()?;
        if tag == 0 {
            let count = self.count(4)?;
            let qubits = (0..count).map(|_| self.number()).collect::<Result<Vec<_>, _>>()?;
            // There may be many of them.
            let mut seen = vec![false; num_qubits as usize];
            for &qubit in &qubits {
                match seen.get_mut(qubit as usize) {
                    Some(place) if !*place => *place = true,
                    _ => return self.broken("qubits that the program does not have"),
                }
            }
            return Ok(Item::Barrier(qubits));
        }
        if tag == 1 {
            let [high, low, ..] = self.qubits::<2>(num_qubits)?;
            let mut matrix: Matrix<4> = [[Complex::ZERO; 4]; 4];
            for entry in matrix.iter_mut().flatten() {
                let [re, im] = self.floats()?;
                *entry = Complex::new(re, im);
            }
            return Ok(Item::Unitary(Box::new(matrix), [high, low]));
        }
        let qubits = match tag {
            2 => [0; 4],
            3..=5 => self.qubits::<1>(num_qubits)?,
            6 | 7 | 10..=14 => self.qubits::<2>(num_qubits)?,
            8 | 15 | 16 => self.qubits::<3>(num_qubits)?,
            9 | 17 => self.qubits::<4>(num_qubits)?,
            _ => return self.broken("an item that does not exist"),
        };
        let single = |rotation, phase| Gate::Single { rotation, phase };
        let gate = match tag {
            2 => Gate::Phase(self.float()?),
            3 => {
                let [phase, theta, phi] = self.floats()?;
                single(OneQubitGate::R(theta, phi), phase)
            }
            4 => {
                let [phase, phi] = self.floats()?;
                single(OneQubitGate::Rz(phi), phase)
            }
            5 => {
                let phase = self.float()?;
                let [w, x, y, z] = self.unit()?;
                single(OneQubitGate::Other(Rotation { w, x, y, z }), phase)
            }
            6 => Gate::Pair { axes: [self.axis()?, self.axis()?], theta: self.float()? },
            7 => {
                let axis = self.axis()?;
                Gate::Controlled { axis, theta: self.float()?, phase: self.float()? }
            }
            8 | 9 => {
                let axis = self.axis()?;
                let controls = usize::from(tag) - 6;
                Gate::MultiControlled { axis, theta: self.float()?, controls }
            }
            10 => {
                let [theta, beta, sign] = self.floats()?;
                Gate::ExchangeLike { theta, beta, sign }
            }
            plain => PLAIN[usize::from(plain - FIRST_PLAIN)],
        };
        Ok(Item::Gate(gate, qubits))
    }

    fn free(&mut self) -> Result<(usize, FreeGate), Broken> {
        let index = self.number()? as usize;
        let name = (0..self.byte()?).map(|_| self.byte()).collect::<Result<_, _>>()?;
        let qubits = (0..self.byte()?).map(|_| self.number()).collect::<Result<_, _>>()?;
        let num_params = self.byte()?;
        let mut params = Vec::with_capacity(num_params.into());
        for _ in 0..num_params {
            let is_free = self.flag()?;
            params.push(if is_free {
                Param::Angle(self.number()?)
            } else {
                Param::Value(self.float()?)
            });
        }
        Ok((index, FreeGate { name, qubits, params }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Template {
        let gate = |name: &[u8], params: &[f64], on: &[u32]| {
            let mut qubits = [0; 4];
            qubits[..on.len()].copy_from_slice(on);
            Item::Gate(Gate::standard(name, on.len(), params).unwrap(), qubits)
        };
        let swap = [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]];
        let swap = swap.map(|row| row.map(|entry| Complex::new(f64::from(entry), 0.0)));
        let items = vec![
            gate(b"rz", &[0.3], &[0]),
            gate(b"r", &[0.3, -0.7], &[1]),
            gate(b"u", &[0.3, -0.7, 9.0], &[1]),
            Item::Barrier(vec![2, 0]),
            gate(b"global_phase", &[0.3], &[]),
            gate(b"rzx", &[0.3], &[2, 3]),
            gate(b"cu", &[0.3, 0.4, 0.5, 0.6], &[3, 2]),
            gate(b"ccx", &[], &[3, 2, 0]),
            gate(b"c3sx", &[], &[3, 2, 0, 1]),
            gate(b"xx_minus_yy", &[0.3, 0.4], &[0, 1]),
            gate(b"ecr", &[], &[0, 1]),
            gate(b"swap", &[], &[0, 1]),
            gate(b"iswap", &[], &[0, 1]),
            gate(b"dcx", &[], &[0, 1]),
            gate(b"cswap", &[], &[0, 1, 3]),
            gate(b"rccx", &[], &[0, 1, 2]),
            gate(b"rcccx", &[], &[0, 1, 2, 3]),
            Item::Unitary(Box::new(swap), [3, 1]),
        ];
        let free = |index, name: &[u8], qubits: &[u32], params: &[Param]| {
            (index, FreeGate { name: name.into(), qubits: qubits.into(), params: params.into() })
        };
        let free = vec![
            free(0, b"rz", &[0], &[Param::Angle(1)]),
            free(6, b"cu3", &[3, 2], &[Param::Angle(0), Param::Value(0.5), Param::Angle(1)]),
        ];
        let measured = vec![true, false, true, true];
        Template::new(Program { num_qubits: 4, items, measured }, free).unwrap()
    }

    #[test]
    fn what_was_written_is_read() {
        let mut bytes = vec![7; 3];
        write(&template(), &mut bytes);
        assert_eq!(read(&bytes, 3), Ok((template(), bytes.len())));
    }

    #[test]
    fn no_archive_that_was_cut_or_changed_is_read_as_another_length() {
        let mut bytes = Vec::new();
        write(&template(), &mut bytes);
        for stop in 0..bytes.len() {
            assert!(read(&bytes[..stop], 0).is_err(), "{stop}");
        }
        for place in 0..bytes.len() {
            for value in [0, 1, 5, 255] {
                let mut changed = bytes.clone();
                changed[place] = value;
                if let Ok((read, end)) = read(&changed, 0) {
                    let mut again = Vec::new();
                    write(&read, &mut again);
                    assert_eq!(again, changed[..end], "{place}");
                }
            }
        }
    }
}
