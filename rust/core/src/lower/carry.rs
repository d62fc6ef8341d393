//! Rotations about X, carried through interactions to where they cost least.
//!
//! RX commutes with RXX, so of the rotations U₁ … Uₙ of a qubit, with interactions between them,
//! any RX(2hₖ) can be taken from the end of Uₖ and put in front of Uₖ₊₁. What is left is
//! Vₖ = RX(−2hₖ)·Uₖ·RX(2hₖ₋₁) with h₀ = hₙ = 0. With μ = w + ix and ν = z + iy this turns
//! phases only: μ → μ·exp(i(hₖ₋₁ − hₖ)) and ν → ν·exp(i(hₖ₋₁ + hₖ)). Vₖ costs
//!
//! - nothing but at most an RZ, if both are real;
//! - one R and no RZ, if ν is imaginary;
//! - one R and one RZ otherwise.
//!
//! The hₖ are found from the first run to the last. For each of a few hₖ₋₁ there is one hₖ that
//! makes Uₖ cheapest on its own. Apart from that an R and an RZ leave hₖ free, so it can be what
//! the next run needs to go without R. Pulses come first, operations second, and nothing changes
//! unless there is something to gain.

use super::{
    Run,
    rotation::{Rotation, negligible, size},
};

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
        // Of the larger part, which is well away from 0.
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

    /// What is left costs, if `incoming` is put in front and `outgoing` taken from the end.
    fn cost(self, incoming: Turn, outgoing: Turn, end: End) -> Cost {
        let mu = self.mu.map(|mu| mu.times(incoming).times(outgoing.conjugate()));
        let nu = self.nu.map(|nu| nu.times(incoming).times(outgoing));
        Self { mu, nu, ..self }.own_cost(end)
    }

    /// What it costs as it is.
    fn own_cost(self, end: End) -> Cost {
        let Self { mu, nu, .. } = self;
        let (x, y) = (mu.map_or(0.0, |mu| mu.im), nu.map_or(0.0, |nu| nu.im));
        let diagonal = negligible(x * self.sizes[0]) && negligible(y * self.sizes[1]);
        let without_rz =
            nu.is_none_or(|nu| negligible(nu.re * self.sizes[1])) || end == End::Unseen;
        let rz = if without_rz { 0 } else { OPERATION };
        if diagonal { rz } else { PULSE + OPERATION + rz }
    }

    /// The outgoing turn that leaves the least, and what that costs.
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

    /// The incoming turn that spares the pulse of this run, or if it has none, of the first after
    /// it that has, whose own target is `next`.
    fn target(self, next: Option<Turn>) -> Option<Turn> {
        match (self.mu, self.nu) {
            (Some(mu), None) => next.map(|next| next.times(mu.conjugate())),
            (None, Some(nu)) => next.map(|next| next.times(nu).conjugate()),
            (Some(mu), Some(nu)) => {
                let target = mu.times(nu).conjugate().root();
                // RX(π) more serves as well here, but perhaps not the next run.
                let other = |next: Turn| negligible(mu.times(target).times(next.conjugate()).re);
                Some(if next.is_some_and(other) { target.with_half_x() } else { target })
            }
            (None, None) => next,
        }
    }

    /// The incoming turn that spares the pulse of this run if it is the last one.
    fn last_target(self) -> Option<Turn> {
        match (self.mu, self.nu) {
            (Some(mu), Some(nu)) if !negligible(mu.times(nu.conjugate()).im) => None,
            (mu, nu) => mu.or(nu).map(Turn::conjugate),
        }
    }
}

/// What comes after the last run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Something that an RZ makes a difference to.
    Seen,
    /// A measurement.
    Unseen,
}

/// One way to carry something out of a run.
#[derive(Clone, Copy, Debug)]
struct State {
    outgoing: Turn,
    cost: Cost,
    /// Index of the state of the run before.
    from: u8,
}

/// How many ways are pursued at once.
const WIDTH: usize = 3;

impl State {
    const START: Self = Self { outgoing: Turn::NONE, cost: 0, from: 0 };
}

/// Adds a state to the at most [`WIDTH`] ways out of a run, unless one that carries the same, or
/// RX(π) more, costs no more; drops the dearest one if there are too many.
fn add(ways: &mut Vec<State>, start: usize, state: State) {
    let full = ways.len() - start == WIDTH;
    if full && ways[start..].iter().all(|other| other.cost <= state.cost) {
        return;
    }
    let same = |other: &State| {
        let more = other.outgoing.times(state.outgoing.conjugate());
        negligible(more.re * more.im)
    };
    if let Some(found) = ways[start..].iter_mut().find(|other| same(other)) {
        if state.cost < found.cost {
            *found = state;
        }
        return;
    }
    if full && let Some(dearest) = (start..ways.len()).max_by_key(|&index| ways[index].cost) {
        ways.remove(dearest);
    }
    ways.push(state);
}

/// Memory that is used again for each qubit.
#[derive(Debug, Default)]
pub(super) struct Carrier {
    splits: Vec<Split>,
    targets: Vec<Option<Turn>>,
    /// The ways into each run but the first, which has one, one run after the other.
    ways: Vec<State>,
    /// Where those of each run start.
    starts: Vec<usize>,
}

impl Carrier {
    /// Carries from each of `runs` into the next what is best carried.
    pub(super) fn carry(&mut self, runs: &mut [Run], end: End) {
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
        self.ways.clear();
        self.ways.push(State::START);
        self.starts.clear();
        self.starts.push(0);
        for index in 0..last {
            self.step(index);
        }
        let before = &self.ways[self.starts[last]..];
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
            let State { outgoing, from, .. } = self.ways[self.starts[index] + chosen];
            chosen = from.into();
            if !negligible(outgoing.im) {
                runs[index - 1].append(outgoing.conjugate().rotation());
                runs[index].prepend(outgoing.rotation());
            }
        }
    }

    /// Adds the ways to carry something out of the run with this index.
    fn step(&mut self, index: usize) {
        let split = self.splits[index];
        let start = self.ways.len();
        let before = self.starts[index]..start;
        self.starts.push(start);
        let mut cheapest: Option<State> = None;
        for (from, way) in (0..).zip(before) {
            let state = State { from, ..self.ways[way] };
            let (outgoing, cost) = split.follow(state.outgoing);
            add(&mut self.ways, start, State { outgoing, cost: state.cost + cost, from });
            if cheapest.is_none_or(|cheapest| state.cost < cheapest.cost) {
                cheapest = Some(state);
            }
        }
        if let (Some(state), Some(outgoing)) = (cheapest, self.targets[index]) {
            let cost = state.cost + split.cost(state.outgoing, outgoing, End::Seen);
            add(&mut self.ways, start, State { outgoing, cost, ..state });
        }
    }
}
