//! Groups of terms that are measured together.
//!
//! Grouping is a colouring of the graph whose edges are the conflicts between terms. Each try is the
//! greedy colouring in some order; what differs are the orders.

use std::cmp::Reverse;

use crate::{
    Terms,
    bits::{WORD, bit, count, flip, more_than, ones, transpose},
};

/// About how many word operations may be spent on improving groupings: some 10 ms.
const BUDGET: usize = 10_000_000;

/// Number of candidates for a group from which they are looked at one by one.
const FEW: u32 = 32;

/// Least and most rounds of improvement of a start.
const ROUNDS: (usize, usize) = (3, 40);

/// Rounds without an improvement after which no more is expected.
const PATIENCE: usize = 4;

/// By how much the expected shots must fall to be worth more circuits.
const WORTH_MORE_GROUPS: f64 = 0.98;

/// Which terms may be measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commutation {
    /// Terms that have the same Pauli matrix on each qubit on which both act.
    QubitWise,
    /// All terms that commute.
    General,
}

/// Divides terms into groups that commute.
///
/// A group needs shots in proportion to its norm, the root of the sum of its squared weights, if all
/// groups get their share; so all shots together go with the square of the sum of norms (Crawford et
/// al., Quantum 5, 385 (2021), eq. 4). The grouping with the smallest sum is chosen. It has no more
/// groups than greedy colouring by largest degree, unless more save 2 % of the shots.
///
/// Tries are: by largest degree (Welsh and Powell), by largest weight (sorted insertion, the same
/// reference), and from each of them iterated greedy colouring (Culberson, 1992): groups in the order
/// of their norms, so that heavy ones take what they can from light ones. That never needs more groups.
///
/// Indices within a group ascend; groups are in the order of their first indices.
///
/// # Panics
///
/// If there is not one weight for each term.
#[must_use]
pub fn group(terms: &Terms, weights: &[f64], commutation: Commutation) -> Vec<Vec<usize>> {
    assert_eq!(terms.len(), weights.len(), "a weight for each term");
    let mut graph = Conflicts::new(terms, commutation);
    let degrees = graph.degrees();
    let mut by_degree: Vec<_> = (0..terms.len()).collect();
    by_degree.sort_by_key(|&term| Reverse(degrees[term]));
    let mut by_weight = by_degree.clone();
    by_weight.sort_by(|&one, &other| weights[other].total_cmp(&weights[one]));

    let mut best = Grouping::new(graph.colour(&by_degree), weights);
    let most = best.groups.len();
    let mut starts = vec![best.clone()];
    if by_weight != by_degree {
        let sorted = Grouping::new(graph.colour(&by_weight), weights);
        best = best.better(&sorted, most);
        starts.push(sorted);
    }
    let rounds = (BUDGET / graph.work().max(1) / starts.len()).clamp(ROUNDS.0, ROUNDS.1);
    for mut current in starts {
        let mut stale = 0;
        for round in 0..rounds {
            let next = Grouping::new(graph.colour(&current.order(round)), weights);
            stale = if next.key() < current.key() { 0 } else { stale + 1 };
            best = best.better(&next, most);
            current = next;
            if stale == PATIENCE {
                break;
            }
        }
    }
    let mut groups = best.groups;
    for group in &mut groups {
        group.sort_unstable();
    }
    groups.sort_unstable_by_key(|group| group[0]);
    groups
}

/// Groups with their norms.
#[derive(Clone)]
struct Grouping {
    groups: Vec<Vec<usize>>,
    norms: Vec<f64>,
    /// Sum of the norms.
    cost: f64,
}

impl Grouping {
    fn new(groups: Vec<Vec<usize>>, weights: &[f64]) -> Self {
        let square = |&term: &usize| weights[term] * weights[term];
        let norm = |group: &Vec<usize>| group.iter().map(square).sum::<f64>().sqrt();
        let norms: Vec<_> = groups.iter().map(norm).collect();
        let cost = norms.iter().sum();
        Self { groups, norms, cost }
    }

    /// What is to be small.
    fn key(&self) -> (f64, usize) {
        (self.cost, self.groups.len())
    }

    /// The better of two. More than `most` groups must be worth it.
    fn better(self, other: &Self, most: usize) -> Self {
        let price = |grouping: &Self| {
            let more = grouping.groups.len() > most;
            let shots = grouping.cost * grouping.cost;
            (if more { shots / WORTH_MORE_GROUPS } else { shots }, grouping.groups.len())
        };
        if price(other) < price(&self) { other.clone() } else { self }
    }

    /// All terms, group by group: mostly the heaviest first, sometimes the largest, or the last.
    fn order(&self, round: usize) -> Vec<usize> {
        let mut groups: Vec<_> = (0..self.groups.len()).collect();
        match round % 4 {
            1 => groups.sort_by_key(|&group| Reverse(self.groups[group].len())),
            3 => groups.reverse(),
            _ => groups.sort_by(|&one, &other| self.norms[other].total_cmp(&self.norms[one])),
        }
        groups.into_iter().flat_map(|group| self.groups[group].iter().copied()).collect()
    }
}

/// The graph of conflicts between terms. Its rows are computed when they are needed, for all terms at
/// once, from planes that hold one bit of all terms, in an order.
struct Conflicts<'terms> {
    terms: &'terms Terms,
    commutation: Commutation,
    /// Number of words that hold a bit of each term.
    width: usize,
    /// Qubits on which a term acts.
    used: Vec<u64>,
    /// For each qubit three planes: which terms have X or Y, Z or Y, X or Z.
    planes: Vec<u64>,
    row: Vec<u64>,
}

impl<'terms> Conflicts<'terms> {
    fn new(terms: &'terms Terms, commutation: Commutation) -> Self {
        let width = terms.len().div_ceil(WORD);
        let acting =
            |word| (0..terms.len()).map(move |term| terms.x(term)[word] | terms.z(term)[word]);
        let used = (0..terms.words()).map(|word| acting(word).fold(0, |all, word| all | word));
        let planes = vec![0; terms.words() * WORD * 3 * width];
        Self { terms, commutation, width, used: used.collect(), planes, row: vec![0; width] }
    }

    /// About how many word operations a colouring takes.
    fn work(&self) -> usize {
        let acting = |term| self.terms.weight(term) as usize + 1;
        (0..self.terms.len()).map(acting).sum::<usize>() * self.width
    }

    /// Fills the planes.
    fn arrange(&mut self, order: &[usize]) {
        for word in 0..self.terms.words() {
            let planes = &mut self.planes[3 * word * WORD * self.width..];
            for (column, members) in order.chunks(WORD).enumerate() {
                let (mut xs, mut zs) = ([0; WORD], [0; WORD]);
                for ((x, z), &term) in xs.iter_mut().zip(&mut zs).zip(members) {
                    (*x, *z) = (self.terms.x(term)[word], self.terms.z(term)[word]);
                }
                transpose(&mut xs);
                transpose(&mut zs);
                // All used qubits, also those that these terms do not use: others did in earlier orders.
                for qubit in ones([self.used[word]]) {
                    let (x, z) = (xs[qubit], zs[qubit]);
                    for (plane, bits) in [x, z, x ^ z].into_iter().enumerate() {
                        planes[(3 * qubit + plane) * self.width + column] = bits;
                    }
                }
            }
        }
    }

    /// Which terms of the order are in conflict with this one; right from the word `from` on.
    fn row(&mut self, term: usize, from: usize) -> &[u64] {
        let (x, z) = (self.terms.x(term), self.terms.z(term));
        let row = &mut self.row[from..];
        row.fill(0);
        for qubit in ones(x.iter().zip(z).map(|(x, z)| x | z)) {
            // X is in conflict with Z and Y, Z with X and Y, Y with X and Z.
            let other = match (bit(x, qubit), bit(z, qubit)) {
                (true, false) => 1,
                (false, _) => 0,
                (true, true) => 2,
            };
            let plane = &self.planes[(3 * qubit + other) * self.width..][..self.width][from..];
            match self.commutation {
                // Terms commute if the number of conflicting qubits is even.
                Commutation::General => {
                    row.iter_mut().zip(plane).for_each(|(row, plane)| *row ^= plane);
                }
                Commutation::QubitWise => {
                    row.iter_mut().zip(plane).for_each(|(row, plane)| *row |= plane);
                }
            }
        }
        row
    }

    /// Whether two terms are in no conflict.
    fn fit(&self, one: usize, other: usize) -> bool {
        match self.commutation {
            Commutation::General => self.terms.commute(one, other),
            Commutation::QubitWise => self.terms.commute_qubit_wise(one, other),
        }
    }

    /// How many terms each one is in conflict with.
    fn degrees(&mut self) -> Vec<u32> {
        let order: Vec<_> = (0..self.terms.len()).collect();
        self.arrange(&order);
        order.into_iter().map(|term| count(self.row(term, 0).iter().copied())).collect()
    }

    /// Greedy colouring in an order: each term goes to the first group that it fits into. Going group by
    /// group gives the same, and needs each row just once.
    fn colour(&mut self, order: &[usize]) -> Vec<Vec<usize>> {
        self.arrange(order);
        let mut left = vec![u64::MAX; self.width];
        if let Some(last) = left.last_mut()
            && !order.len().is_multiple_of(WORD)
        {
            *last = (1 << (order.len() % WORD)) - 1;
        }
        let mut groups = Vec::new();
        let mut fitting = vec![0; self.width];
        let mut few = Vec::new();
        let mut start = 0;
        loop {
            while start < self.width && left[start] == 0 {
                start += 1;
            }
            if start == self.width {
                return groups;
            }
            let mut group = Vec::new();
            fitting[start..].copy_from_slice(&left[start..]);
            let mut word = start;
            while more_than(&fitting[word..], FEW) {
                while fitting[word] == 0 {
                    word += 1;
                }
                let position = word * WORD + fitting[word].trailing_zeros() as usize;
                group.push(order[position]);
                flip(&mut left, position);
                flip(&mut fitting, position);
                let row = self.row(order[position], word);
                fitting[word..].iter_mut().zip(row).for_each(|(fit, row)| *fit &= !row);
            }
            few.clear();
            few.extend(
                ones(fitting[word..].iter().copied()).map(|position| word * WORD + position),
            );
            while let Some(&position) = few.first() {
                let term = order[position];
                group.push(term);
                flip(&mut left, position);
                few.retain(|&other| other != position && self.fit(term, order[other]));
            }
            groups.push(group);
        }
    }
}
