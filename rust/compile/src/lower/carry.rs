//! Carries rotations about X through interactions to where they cost least.
//!
//! RX commutes with RXX. So of the rotations U₁ … Uₙ of a qubit, with interactions between them, any
//! RX(2hₖ) can move from the end of Uₖ to the front of Uₖ₊₁. That leaves
//! Vₖ = RX(−2hₖ)·Uₖ·RX(2hₖ₋₁) with h₀ = hₙ = 0. With μ = w + ix and ν = z + iy only phases change:
//! μ → μ·exp(i(hₖ₋₁ − hₖ)) and ν → ν·exp(i(hₖ₋₁ + hₖ)). Vₖ costs
//!
//! - at most one RZ, if both are real;
//! - one R and no RZ, if ν is imaginary;
//! - one R and one RZ otherwise.
//!
//! The search goes from the first run to the last. For each of a few hₖ₋₁ there is one hₖ that makes
//! Uₖ cheapest on its own. A run with an R and an RZ leaves hₖ free: then hₖ is chosen so that the
//! next run needs no R. The cost is the number of pulses, then the number of operations. Nothing
//! changes unless the cost falls.

use super::runs::{Opening, Run, Runs};
use crate::rotation::{Rotation, negligible, size};

/// Pulses and operations, to be compared in this order.
type Cost = u64;
const OPERATION: Cost = 1;
const PULSE: Cost = 1 << 32;

/// exp(ih), standing for RX(2h). Its sign does not matter.
#[derive(Clone, Copy, Debug)]
struct Turn {
    re: f64,
    im: f64,
}

impl Turn {
    const NONE: Self = Self { re: 1.0, im: 0.0 };

    fn times(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }

    fn conjugate(self) -> Self {
        Self { im: -self.im, ..self }
    }

    /// A quarter turn more, which stands for RX(π).
    fn with_half_x(self) -> Self {
        Self { re: -self.im, im: self.re }
    }

    /// One of the two square roots.
    fn root(self) -> Self {
        // The larger part is well away from 0.
        let larger = f64::midpoint(1.0, self.re.abs()).sqrt();
        let smaller = self.im / (2.0 * larger);
        if self.re >= 0.0 {
            Self { re: larger, im: smaller }
        } else {
            Self { re: smaller, im: larger }
        }
    }

    fn rotation(self) -> Rotation {
        Rotation { w: self.re, x: self.im, ..Rotation::IDENTITY }
    }
}

/// A rotation as μ and ν.
#[derive(Clone, Copy, Debug)]
struct Split {
    /// Both, each of length 1; None stands for 0.
    mu: Option<Turn>,
    nu: Option<Turn>,
    /// |μ| and |ν|.
    sizes: [f64; 2],
}

impl Split {
    fn of(rotation: Rotation) -> Self {
        let Rotation { w, x, y, z } = rotation;
        let sizes = [size(w, x), size(z, y)];
        let part = |re: f64, im: f64, size: f64| {
            (!negligible(size)).then(|| Turn { re: re / size, im: im / size })
        };
        Self { mu: part(w, x, sizes[0]), nu: part(z, y, sizes[1]), sizes }
    }

    /// The cost with `incoming` at the front and `outgoing` removed from the end.
    fn cost(self, incoming: Turn, outgoing: Turn, end: End) -> Cost {
        let mu = self.mu.map(|mu| mu.times(incoming).times(outgoing.conjugate()));
        let nu = self.nu.map(|nu| nu.times(incoming).times(outgoing));
        Self { mu, nu, ..self }.own_cost(end)
    }

    /// The cost as it is.
    fn own_cost(self, end: End) -> Cost {
        let Self { mu, nu, .. } = self;
        let (x, y) = (mu.map_or(0.0, |mu| mu.im), nu.map_or(0.0, |nu| nu.im));
        let diagonal = negligible(x * self.sizes[0]) && negligible(y * self.sizes[1]);
        let without_rz =
            nu.is_none_or(|nu| negligible(nu.re * self.sizes[1])) || end == End::Unseen;
        let rz = if without_rz { 0 } else { OPERATION };
        if diagonal { rz } else { PULSE + OPERATION + rz }
    }

    /// The outgoing turn that leaves the least cost, and that cost.
    fn follow(self, incoming: Turn) -> (Turn, Cost) {
        match (self.mu, self.nu) {
            (Some(mu), None) => (mu.times(incoming), 0),
            (None, Some(nu)) => (nu.times(incoming).conjugate(), OPERATION),
            (Some(mu), Some(nu)) => {
                let (mu, nu) = (mu.times(incoming), nu.times(incoming));
                if negligible(mu.times(nu).im) {
                    (mu, OPERATION)
                } else {
                    (nu.conjugate().with_half_x(), PULSE + OPERATION)
                }
            }
            (None, None) => (incoming, 0),
        }
    }

    /// The incoming turn that saves the pulse of this run. A run without a pulse passes on `next`, the
    /// target of the following run.
    fn target(self, next: Option<Turn>) -> Option<Turn> {
        match (self.mu, self.nu) {
            (Some(mu), None) => next.map(|next| next.times(mu.conjugate())),
            (None, Some(nu)) => next.map(|next| next.times(nu).conjugate()),
            (Some(mu), Some(nu)) => {
                let target = mu.times(nu).conjugate().root();
                // RX(π) more saves this pulse as well; choose the one that suits the next run.
                let other = |next: Turn| negligible(mu.times(target).times(next.conjugate()).re);
                Some(if next.is_some_and(other) { target.with_half_x() } else { target })
            }
            (None, None) => next,
        }
    }

    /// The incoming turn that saves the pulse of this run if it is the last run.
    fn last_target(self) -> Option<Turn> {
        match (self.mu, self.nu) {
            (Some(mu), Some(nu)) if !negligible(mu.times(nu.conjugate()).im) => None,
            (mu, nu) => mu.or(nu).map(Turn::conjugate),
        }
    }
}

/// What comes after the last run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// An operation that depends on an RZ before it.
    Seen,
    /// A measurement.
    Unseen,
}

/// One candidate for the turn that leaves a run.
#[derive(Clone, Copy, Debug)]
struct State {
    outgoing: Turn,
    cost: Cost,
    /// Index of the state of the run before.
    from: u8,
}

/// Number of candidates that are followed at once.
const WIDTH: usize = 3;

impl State {
    const START: Self = Self { outgoing: Turn::NONE, cost: 0, from: 0 };
}

/// Adds a candidate to the at most [`WIDTH`] of a run, unless another with the same turn, or RX(π)
/// more, costs no more. Drops the most expensive one if there are too many.
fn add(candidates: &mut Vec<State>, start: usize, state: State) {
    let full = candidates.len() - start == WIDTH;
    if full && candidates[start..].iter().all(|other| other.cost <= state.cost) {
        return;
    }
    let same = |other: &State| {
        let more = other.outgoing.times(state.outgoing.conjugate());
        negligible(more.re * more.im)
    };
    if let Some(found) = candidates[start..].iter_mut().find(|other| same(other)) {
        if state.cost < found.cost {
            *found = state;
        }
        return;
    }
    if full
        && let Some(worst) = (start..candidates.len()).max_by_key(|&index| candidates[index].cost)
    {
        candidates.remove(worst);
    }
    candidates.push(state);
}

/// The search, with memory that is reused for each qubit.
#[derive(Debug, Default)]
struct Carrier {
    splits: Vec<Split>,
    targets: Vec<Option<Turn>>,
    /// The candidates into each run, one run after the other; a single one into the first run.
    candidates: Vec<State>,
    /// Where the candidates of each run start.
    starts: Vec<usize>,
}

impl Carrier {
    /// Carries the best turn from each of `runs` into the next.
    fn carry(&mut self, runs: &mut [Run], end: End) {
        let last = runs.len() - 1;
        self.splits.clear();
        self.splits.extend(runs.iter().map(|run| Split::of(run.rotation)));
        self.targets.clear();
        self.targets.resize(last + 1, None);
        let mut target = self.splits[last].last_target();
        for index in (0..last).rev() {
            self.targets[index] = target;
            target = self.splits[index].target(target);
        }
        self.candidates.clear();
        self.candidates.push(State::START);
        self.starts.clear();
        self.starts.push(0);
        for index in 0..last {
            self.step(index);
        }
        let before = &self.candidates[self.starts[last]..];
        let split = self.splits[last];
        let total = |state: &State| state.cost + split.cost(state.outgoing, Turn::NONE, end);
        let costs = before.iter().map(total).enumerate();
        let Some((mut chosen, cost)) = costs.min_by_key(|&(_, cost)| cost) else { return };
        let as_is = |(index, split): (usize, &Split)| {
            let end = if index == last { end } else { End::Seen };
            split.own_cost(end)
        };
        let as_is: Cost = self.splits.iter().enumerate().map(as_is).sum();
        if cost >= as_is || cost % PULSE > as_is % PULSE {
            return;
        }
        for index in (1..=last).rev() {
            let State { outgoing, from, .. } = self.candidates[self.starts[index] + chosen];
            chosen = from.into();
            if !negligible(outgoing.im) {
                runs[index - 1].append(outgoing.conjugate().rotation());
                runs[index].prepend(outgoing.rotation());
            }
        }
    }

    /// Adds the candidates out of the run with this index.
    fn step(&mut self, index: usize) {
        let split = self.splits[index];
        let start = self.candidates.len();
        let before = self.starts[index]..start;
        self.starts.push(start);
        let mut cheapest: Option<State> = None;
        for (from, candidate) in (0..).zip(before) {
            let state = State { from, ..self.candidates[candidate] };
            let (outgoing, cost) = split.follow(state.outgoing);
            add(&mut self.candidates, start, State { outgoing, cost: state.cost + cost, from });
            if cheapest.is_none_or(|cheapest| state.cost < cheapest.cost) {
                cheapest = Some(state);
            }
        }
        if let (Some(state), Some(outgoing)) = (cheapest, self.targets[index]) {
            let cost = state.cost + split.cost(state.outgoing, outgoing, End::Seen);
            add(&mut self.candidates, start, State { outgoing, cost, ..state });
        }
    }
}

/// Commutes rotations about X through the interactions of all qubits, and marks the runs whose RZ no
/// outcome depends on.
pub(super) fn carry_all(runs: &mut Runs, measured: impl Fn(u32) -> bool) {
    let mut carrier = Carrier::default();
    for (qubit, runs) in (0..).zip(&mut runs.by_qubit) {
        carry_qubit(&mut carrier, runs, measured(qubit));
    }
}

fn carry_qubit(carrier: &mut Carrier, runs: &mut [Run], measured: bool) {
    let mut unseen = measured;
    let mut rest = runs;
    while !rest.is_empty() {
        let opens = |run: &Run| !matches!(run.opening, Opening::Interaction(_));
        let start = rest.iter().rposition(opens).unwrap_or(0);
        let (before, chain) = rest.split_at_mut(start);
        let end = if unseen { End::Unseen } else { End::Seen };
        if chain.len() > 1 {
            carrier.carry(chain, end);
        }
        chain[chain.len() - 1].unseen = unseen;
        unseen &= chain.len() == 1
            && chain[0].opening == Opening::Barrier
            && chain[0].rotation.is_diagonal();
        rest = before;
    }
}
