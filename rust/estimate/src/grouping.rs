//! Groups of terms that are measured together.
//!
//! Grouping is a colouring of the graph whose edges are the conflicts between terms. Each try is the
//! greedy colouring in some order; what differs are the orders.

use std::cmp::Reverse;

use crate::{
    Terms,
    bits::{WORD, bit, count, flip, ones},
};

/// Word operations that may be spent on improving a grouping beyond the first two orders.
const BUDGET: usize = 30_000_000;

/// Rounds of improvement after which nothing more is expected.
const ROUNDS: usize = 40;

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
    let natural: Vec<_> = (0..terms.len()).collect();
    let mut graph = Conflicts::new(terms, &natural, commutation);
    let degrees = graph.degrees();
    let mut by_degree = natural.clone();
    by_degree.sort_by_key(|&term| Reverse(degrees[term]));
    let mut by_weight = by_degree.clone();
    by_weight.sort_by(|&one, &other| weights[other].total_cmp(&weights[one]));

    let mut best = Grouping::new(Conflicts::new(terms, &by_degree, commutation).colour(), weights);
    let most = best.groups.len();
    let sorted = Grouping::new(Conflicts::new(terms, &by_weight, commutation).colour(), weights);
    let mut starts = vec![best.clone()];
    if by_weight != by_degree {
        best = best.better(&sorted, most);
        starts.push(sorted);
    }
    let rounds = (BUDGET / graph.work().max(1) / starts.len()).min(ROUNDS);
    for mut current in starts {
        let mut stale = 0;
        for round in 0..rounds {
            let order = current.order(round);
            let next = Grouping::new(Conflicts::new(terms, &order, commutation).colour(), weights);
            stale = if next.key() < current.key() { 0 } else { stale + 1 };
            best = best.better(&next, most);
            current = next;
            if stale == 4 {
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

/// The graph of conflicts between terms in an order. Its rows are computed when they are needed, for
/// all terms at once, from planes that hold one bit of all terms.
struct Conflicts<'terms> {
    terms: &'terms Terms,
    order: &'terms [usize],
    commutation: Commutation,
    /// Number of words that hold a bit of each term.
    width: usize,
    /// For each qubit three planes: which terms have X or Y, Z or Y, X or Z.
    planes: Vec<u64>,
    row: Vec<u64>,
}

impl<'terms> Conflicts<'terms> {
    fn new(terms: &'terms Terms, order: &'terms [usize], commutation: Commutation) -> Self {
        let width = order.len().div_ceil(WORD);
        let mut planes = vec![0; terms.words() * WORD * 3 * width];
        for (position, &term) in order.iter().enumerate() {
            let (x, z) = (terms.x(term), terms.z(term));
            for qubit in ones(x.iter().zip(z).map(|(x, z)| x | z)) {
                let (x, z) = (bit(x, qubit), bit(z, qubit));
                for (plane, set) in [x, z, x != z].into_iter().enumerate() {
                    if set {
                        flip(&mut planes[(3 * qubit + plane) * width..], position);
                    }
                }
            }
        }
        Self { terms, order, commutation, width, planes, row: vec![0; width] }
    }

    /// About how many word operations a colouring takes.
    fn work(&self) -> usize {
        let acting: usize = self.order.iter().map(|&term| self.terms.weight(term) as usize).sum();
        (acting + self.order.len()) * self.width
    }

    /// Which terms are in conflict with the one at a position; right from the word `from` on.
    fn row(&mut self, position: usize, from: usize) -> &[u64] {
        let (terms, width) = (self.terms, self.width);
        let term = self.order[position];
        let (x, z) = (terms.x(term), terms.z(term));
        let row = &mut self.row[from..];
        row.fill(0);
        for qubit in ones(x.iter().zip(z).map(|(x, z)| x | z)) {
            // X is in conflict with Z and Y, Z with X and Y, Y with X and Z.
            let other = match (bit(x, qubit), bit(z, qubit)) {
                (true, false) => 1,
                (false, _) => 0,
                (true, true) => 2,
            };
            let plane = &self.planes[(3 * qubit + other) * width..][..width][from..];
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

    /// How many terms each one is in conflict with.
    fn degrees(&mut self) -> Vec<u32> {
        let positions = 0..self.order.len();
        positions.map(|position| count(self.row(position, 0).iter().copied())).collect()
    }

    /// Greedy colouring in the order: each term goes to the first group that it fits into. Going group
    /// by group gives the same, and needs each row just once.
    fn colour(&mut self) -> Vec<Vec<usize>> {
        let mut left = vec![u64::MAX; self.width];
        if let Some(last) = left.last_mut()
            && !self.order.len().is_multiple_of(WORD)
        {
            *last = (1 << (self.order.len() % WORD)) - 1;
        }
        let mut groups = Vec::new();
        let mut fitting = vec![0; self.width];
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
            for word in start..self.width {
                while fitting[word] != 0 {
                    let position = word * WORD + fitting[word].trailing_zeros() as usize;
                    group.push(self.order[position]);
                    flip(&mut left, position);
                    flip(&mut fitting, position);
                    let row = self.row(position, word);
                    fitting[word..].iter_mut().zip(row).for_each(|(fit, row)| *fit &= !row);
                }
            }
            groups.push(group);
        }
    }
}
