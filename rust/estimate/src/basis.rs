//! Clifford circuits that turn commuting terms into products of Z.

use crate::{
    Terms,
    bits::{Echelon, WORD, bit, count, flip, ones, xor_into},
};

/// Searches beyond the first one, with other choices among equals; few where each takes long.
const fn tries(generators: usize) -> u64 {
    match generators {
        0..=16 => 12,
        17..=40 => 4,
        _ => 0,
    }
}

/// A gate of a circuit that diagonalises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Hadamard gate.
    H(usize),
    /// S, the square root of Z.
    S(usize),
    /// Inverse of S.
    Sdg(usize),
    /// X of the second qubit controlled by the first.
    Cx(usize, usize),
    /// Controlled Z.
    Cz(usize, usize),
}

impl Gate {
    /// Whether it acts on two qubits.
    #[must_use]
    pub const fn is_entangling(self) -> bool {
        matches!(self, Self::Cx(..) | Self::Cz(..))
    }

    /// Conjugates a Pauli, P → G P G†. Tells whether its sign changes (Aaronson and Gottesman, Phys. Rev.
    /// A 70, 052328 (2004), with Y for XZ).
    fn conjugate(self, x: &mut [u64], z: &mut [u64]) -> bool {
        match self {
            Self::H(q) => {
                let (had_x, had_z) = (bit(x, q), bit(z, q));
                if had_x != had_z {
                    flip(x, q);
                    flip(z, q);
                }
                had_x && had_z
            }
            Self::S(q) | Self::Sdg(q) => {
                let (had_x, had_z) = (bit(x, q), bit(z, q));
                if had_x {
                    flip(z, q);
                }
                had_x && had_z == (self == Self::S(q))
            }
            Self::Cx(control, target) => {
                let (x_control, z_target) = (bit(x, control), bit(z, target));
                let negative = x_control && z_target && bit(x, target) == bit(z, control);
                if x_control {
                    flip(x, target);
                }
                if z_target {
                    flip(z, control);
                }
                negative
            }
            Self::Cz(one, other) => {
                let (x_one, x_other) = (bit(x, one), bit(x, other));
                let negative = x_one && x_other && bit(z, one) != bit(z, other);
                if x_other {
                    flip(z, one);
                }
                if x_one {
                    flip(z, other);
                }
                negative
            }
        }
    }
}

/// A circuit after which terms are products of Z, and these products.
#[derive(Clone, Debug)]
pub struct Basis {
    /// The gates, in order of time.
    pub gates: Vec<Gate>,
    /// For each term the mask of its Z's.
    pub masks: Vec<u64>,
    /// For each term whether it has become minus the product.
    pub negative: Vec<bool>,
}

/// Two terms that do not commute, so that no basis has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotCommuting {
    /// Index of the one.
    pub first: usize,
    /// Index of the other.
    pub second: usize,
}

/// Finds a circuit that diagonalises commuting terms.
///
/// A qubit on which all terms have the same Pauli matrix, or none, needs at most local gates. For the
/// others, a generator with the fewest of them is shortened: an entangling gate takes one of its qubits
/// out, the one that leaves the least to do on all generators. Before each step, generators are
/// replaced by shorter products of two. This takes at most one gate fewer than the generator has
/// qubits, for each generator. Of several searches the one with the fewest gates is taken.
///
/// Terms that commute qubit-wise need no entangling gates.
///
/// # Errors
///
/// Names two terms that do not commute.
pub fn diagonalise(terms: &Terms) -> Result<Basis, NotCommuting> {
    let generators = generators(terms);
    for (position, &second) in generators.iter().enumerate() {
        for &first in &generators[..position] {
            if !terms.commute(first, second) {
                return Err(NotCommuting { first: first.min(second), second: first.max(second) });
            }
        }
    }
    let start = Search::new(terms, &generators);
    let mut best = start.clone().run(None);
    if best.entangling > 1 {
        for seed in 1..=tries(generators.len()) {
            let other = start.clone().run(Some(Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))));
            if (other.entangling, other.gates.len()) < (best.entangling, best.gates.len()) {
                best = other;
            }
        }
    }
    let gates = best.gates;
    let mut masks = Vec::with_capacity(terms.len() * terms.words());
    let mut negative = Vec::with_capacity(terms.len());
    for term in 0..terms.len() {
        let (mut x, mut z) = (terms.x(term).to_vec(), terms.z(term).to_vec());
        let signs = gates.iter().map(|gate| gate.conjugate(&mut x, &mut z));
        negative.push(signs.fold(false, |sum, sign| sum ^ sign));
        debug_assert!(x.iter().all(|&word| word == 0), "a term is not diagonal");
        masks.extend(z);
    }
    Ok(Basis { gates, masks, negative })
}

/// Independent terms whose products are all terms, with the fewest qubits.
fn generators(terms: &Terms) -> Vec<usize> {
    let mut order: Vec<_> = (0..terms.len()).collect();
    order.sort_by_key(|&term| terms.weight(term));
    let mut echelon = Echelon::default();
    order.retain(|&term| echelon.add([terms.x(term), terms.z(term)].concat()).0);
    order
}

/// A generator of numbers that look random enough (xorshift; Marsaglia, J. Stat. Softw. 8 (2003)).
#[derive(Clone)]
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A Pauli matrix as the bits of X and Z, or none.
type Local = (bool, bool);

const fn anticommute(one: Local, other: Local) -> bool {
    (one.0 && other.1) != (one.1 && other.0)
}

const fn acts(one: Local) -> bool {
    one.0 || one.1
}

/// A generator.
#[derive(Clone)]
struct Row {
    x: Vec<u64>,
    z: Vec<u64>,
}

impl Row {
    fn local(&self, qubit: usize) -> Local {
        (bit(&self.x, qubit), bit(&self.z, qubit))
    }

    /// The open qubits on which it acts.
    fn support<'a>(&'a self, open: &'a [u64]) -> impl Iterator<Item = u64> + 'a {
        self.x.iter().zip(&self.z).zip(open).map(|((x, z), open)| (x | z) & open)
    }

    fn weight(&self, open: &[u64]) -> u32 {
        count(self.support(open))
    }

    fn weight_of_product(&self, other: &Self, open: &[u64]) -> u32 {
        let one = self.x.iter().zip(&self.z);
        let two = other.x.iter().zip(&other.z);
        count(one.zip(two).zip(open).map(|(((x, z), (a, b)), open)| ((x ^ a) | (z ^ b)) & open))
    }
}

/// exp(iπ/4 A ⊗ B) up to local gates: what it is applied to, A and B.
#[derive(Clone, Copy)]
struct Entangler {
    qubits: [usize; 2],
    axes: [Local; 2],
}

impl Entangler {
    /// By how much it changes the weight of all generators, from the columns of its qubits. A qubit
    /// on which all generators agree afterwards is done and does not count.
    fn change(self, columns: [&[(u64, u64)]; 2]) -> i64 {
        let mut before = 0;
        let mut weights = [0; 2];
        // Which of X, Z and Y are there.
        let mut kinds = [[0; 3]; 2];
        let [one, other] = self.axes.map(|(x, z)| (mask(x), mask(z)));
        for (&(x, z), &(u, v)) in columns[0].iter().zip(columns[1]) {
            before += (x | z).count_ones() + (u | v).count_ones();
            // Generators that do not commute with A ⊗ B are multiplied by it.
            let changing = (x & one.1) ^ (z & one.0) ^ (u & other.1) ^ (v & other.0);
            let multiplied = [
                (x ^ (one.0 & changing), z ^ (one.1 & changing)),
                (u ^ (other.0 & changing), v ^ (other.1 & changing)),
            ];
            for (side, (x, z)) in multiplied.into_iter().enumerate() {
                weights[side] += (x | z).count_ones();
                kinds[side][0] |= x & !z;
                kinds[side][1] |= z & !x;
                kinds[side][2] |= x & z;
            }
        }
        let left = |side: usize| {
            let agreed = kinds[side].iter().filter(|&&rows| rows != 0).count() < 2;
            if agreed { 0 } else { i64::from(weights[side]) }
        };
        left(0) + left(1) - i64::from(before)
    }
}

/// All bits, or none.
const fn mask(set: bool) -> u64 {
    if set { u64::MAX } else { 0 }
}

/// A circuit in the making.
#[derive(Clone)]
struct Search {
    rows: Vec<Row>,
    /// Qubits on which generators differ.
    open: Vec<u64>,
    gates: Vec<Gate>,
    entangling: usize,
}

impl Search {
    fn new(terms: &Terms, generators: &[usize]) -> Self {
        let row = |&term: &usize| Row { x: terms.x(term).to_vec(), z: terms.z(term).to_vec() };
        Self {
            rows: generators.iter().map(row).collect(),
            open: vec![u64::MAX; terms.words()],
            gates: Vec::new(),
            entangling: 0,
        }
    }

    /// Adds gates until all generators are products of Z.
    fn run(mut self, mut random: Option<Random>) -> Self {
        if let Some(random) = &mut random {
            for end in (2..=self.rows.len()).rev() {
                self.rows.swap(end - 1, index(random, end));
            }
        }
        loop {
            self.settle();
            self.reduce();
            // Products may have turned out to act on closed qubits only.
            if self.drop_settled() {
                continue;
            }
            if self.rows.is_empty() {
                return self;
            }
            let entangler = self.choose(random.as_mut());
            self.entangle(entangler);
        }
    }

    fn apply(&mut self, gate: Gate) {
        for row in &mut self.rows {
            gate.conjugate(&mut row.x, &mut row.z);
        }
        self.entangling += usize::from(gate.is_entangling());
        // Local gates often undo the last one of their qubit.
        if let Gate::H(qubit) | Gate::Sdg(qubit) | Gate::S(qubit) = gate {
            let on_qubit = |gate: &Gate| match *gate {
                Gate::H(other) | Gate::S(other) | Gate::Sdg(other) => other == qubit,
                Gate::Cx(one, other) | Gate::Cz(one, other) => one == qubit || other == qubit,
            };
            let inverse = match gate {
                Gate::S(_) => Gate::Sdg(qubit),
                Gate::Sdg(_) => Gate::S(qubit),
                _ => gate,
            };
            if let Some(last) = self.gates.iter().rposition(on_qubit)
                && self.gates[last] == inverse
            {
                self.gates.remove(last);
                return;
            }
        }
        self.gates.push(gate);
    }

    /// Whether all generators have the same Pauli matrix on a qubit, or none: that matrix.
    fn agreed(&self, qubit: usize) -> Option<Local> {
        let mut agreed = (false, false);
        for row in &self.rows {
            let local = row.local(qubit);
            if acts(local) {
                if acts(agreed) && agreed != local {
                    return None;
                }
                agreed = local;
            }
        }
        Some(agreed)
    }

    /// Drops generators without open qubits. Tells whether there were any.
    fn drop_settled(&mut self) -> bool {
        let (before, open) = (self.rows.len(), &self.open);
        self.rows.retain(|row| row.weight(open) > 0);
        self.rows.len() < before
    }

    /// Closes qubits that need only local gates, and drops generators without open qubits.
    fn settle(&mut self) {
        let mut words = self.open.clone();
        for (index, word) in words.iter_mut().enumerate() {
            *word &= self.rows.iter().fold(0, |all, row| all | row.x[index] | row.z[index]);
        }
        self.open.clone_from(&words);
        for qubit in ones(words) {
            if let Some(axis) = self.agreed(qubit) {
                flip(&mut self.open, qubit);
                self.turn_to_z(qubit, axis);
            }
        }
        self.drop_settled();
    }

    fn turn_to_z(&mut self, qubit: usize, axis: Local) {
        if axis == (true, true) {
            self.apply(Gate::Sdg(qubit));
        }
        if axis.0 {
            self.apply(Gate::H(qubit));
        }
    }

    /// Replaces generators by products with others as long as that makes them shorter.
    fn reduce(&mut self) {
        let mut weights: Vec<_> = self.rows.iter().map(|row| row.weight(&self.open)).collect();
        loop {
            let mut changed = false;
            for (one, least) in weights.iter_mut().enumerate() {
                for other in (0..self.rows.len()).filter(|&other| other != one) {
                    let weight = self.rows[one].weight_of_product(&self.rows[other], &self.open);
                    if weight < *least {
                        let Row { x, z } = self.rows[other].clone();
                        xor_into(&mut self.rows[one].x, &x);
                        xor_into(&mut self.rows[one].z, &z);
                        *least = weight;
                        changed = true;
                    }
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// The entangler that shortens a shortest generator and leaves the least weight of all.
    fn choose(&self, mut random: Option<&mut Random>) -> Entangler {
        let weights: Vec<_> = self.rows.iter().map(|row| row.weight(&self.open)).collect();
        let least = weights.iter().min().copied().unwrap_or_default();
        let mut columns = vec![Vec::new(); self.open.len() * WORD];
        for qubit in ones(self.open.iter().copied()) {
            columns[qubit] = self.column(qubit);
        }
        let mut best: Option<(i64, Entangler)> = None;
        let mut equals = 0;
        for (row, _) in self.rows.iter().zip(&weights).filter(|(_, weight)| **weight == least) {
            let support: Vec<_> = ones(row.support(&self.open)).collect();
            for &leaving in &support {
                for &staying in &support {
                    if leaving == staying {
                        continue;
                    }
                    // A is the generator's own matrix, B anticommutes with it.
                    let own = [row.local(leaving), row.local(staying)];
                    let others = [(true, false), (false, true), (true, true)];
                    for axis in others.into_iter().filter(|&axis| anticommute(axis, own[1])) {
                        let qubits = [leaving, staying];
                        let entangler = Entangler { qubits, axes: [own[0], axis] };
                        let cost = entangler.change(qubits.map(|qubit| columns[qubit].as_slice()));
                        let wins = match (&best, &mut random) {
                            (None, _) => true,
                            (Some((least, _)), _) if cost != *least => cost < *least,
                            (_, None) => false,
                            // Each of the equals has the same chance.
                            (_, Some(random)) => {
                                equals += 1;
                                index(random, equals + 1) == 0
                            }
                        };
                        if wins {
                            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                                equals = 0;
                            }
                            best = Some((cost, entangler));
                        }
                    }
                }
            }
        }
        match best {
            Some((_, entangler)) => entangler,
            None => unreachable!("open generators act on two qubits or more"),
        }
    }

    /// A qubit's bits of all generators, 64 a word: X or Y, and Z or Y.
    fn column(&self, qubit: usize) -> Vec<(u64, u64)> {
        let word = |rows: &[Row]| {
            rows.iter().rev().fold((0, 0), |(x, z), row| {
                let local = row.local(qubit);
                (x << 1 | u64::from(local.0), z << 1 | u64::from(local.1))
            })
        };
        self.rows.chunks(WORD).map(word).collect()
    }

    /// Adds an entangler as a gate between local ones.
    fn entangle(&mut self, entangler: Entangler) {
        let Entangler { qubits: [one, other], axes } = entangler;
        let mut is_x = [false; 2];
        for (side, qubit) in entangler.qubits.into_iter().enumerate() {
            if axes[side] == (true, true) {
                self.apply(Gate::Sdg(qubit));
            }
            is_x[side] = axes[side].0;
        }
        let gate = match is_x {
            [false, false] => Gate::Cz(one, other),
            [false, true] => Gate::Cx(one, other),
            [true, false] => Gate::Cx(other, one),
            [true, true] => {
                self.apply(Gate::H(one));
                Gate::Cx(one, other)
            }
        };
        self.apply(gate);
    }
}

/// A random index below `end`.
fn index(random: &mut Random, end: usize) -> usize {
    usize::try_from(random.next() >> 33).map_or(0, |number| number % end)
}
