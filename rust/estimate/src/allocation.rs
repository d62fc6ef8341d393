//! Shots of each group.

/// Iterations after which the numbers are taken as they are; the gap is closed long before.
const ITERATIONS: usize = 20_000;

/// How far the real-valued optimum may be missed.
const GAP: f64 = 1e-4;

/// Steps to a scale.
const STEPS: usize = 200;

/// Relative error that may come from rounding of floating-point numbers.
const ROUNDING: f64 = 1e-10;

/// Number of shots of a group from which rounding up is not worth a search.
const MANY_SHOTS: f64 = 2000.0;

/// Number of groups up to which exchanges between three groups are tried.
const FEW_GROUPS: usize = 16;

/// Largest number of shots: beyond it, numbers are not exact.
const MOST: f64 = 9_007_199_254_740_992.0;

/// Why shots cannot be allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocationError {
    /// A variance is negative or not finite.
    Variance {
        /// Index of the observable.
        observable: usize,
        /// Index of the group.
        group: usize,
    },
    /// A target error is not positive, or not finite.
    Error {
        /// Index of the observable.
        observable: usize,
    },
    /// A group needs more than 2^53 shots.
    TooMany {
        /// Index of the group.
        group: usize,
    },
}

/// The fewest shots of groups so that each observable has its standard error.
///
/// With variances V of a shot, one row of `groups` numbers an observable, and target errors p, it
/// minimises `Σ N[g]` so that `Σ_g V[o][g] / N[g] ≤ p[o]²` for all `o`, and `N[g] ≥ minimum`.
///
/// One observable has `N[g] = √V[g] Σ √V / p²` (Neyman, J. R. Stat. Soc. 97, 558 (1934)). For more,
/// Lagrange's conditions give `N[g] = √(Σ_o λ[o] V[o][g])`; multipliers are scaled by how much their
/// observables exceed their targets until the duality gap is below 10⁻⁴. Small numbers are then rounded
/// up and down by search, large ones up.
///
/// # Errors
///
/// Names what is not positive or not finite, or needs too many shots.
///
/// # Panics
///
/// If there is not one variance for each observable and group.
pub fn allocate(
    groups: usize,
    variances: &[f64],
    errors: &[f64],
    minimum: u64,
) -> Result<Vec<u64>, AllocationError> {
    assert_eq!(variances.len(), groups * errors.len(), "a variance for each observable and group");
    if let Some(observable) = errors.iter().position(|&error| !(error > 0.0 && error.is_finite())) {
        return Err(AllocationError::Error { observable });
    }
    let mut rows = Vec::new();
    for (observable, error) in errors.iter().enumerate() {
        let row = &variances[observable * groups..][..groups];
        let fits = |value: f64| value >= 0.0 && value.is_finite();
        if let Some(group) = row.iter().position(|&value| !fits(value)) {
            return Err(AllocationError::Variance { observable, group });
        }
        let shares: Vec<_> = row
            .iter()
            .enumerate()
            .filter(|(_, value)| **value > 0.0)
            .map(|(group, value)| (group, value / error / error))
            .collect();
        if let Some(&(group, _)) = shares.iter().find(|(_, value)| *value > MOST) {
            return Err(AllocationError::TooMany { group });
        }
        if !shares.is_empty() {
            rows.push(shares);
        }
    }
    let problem = Problem { groups, rows, minimum: to_float(minimum.max(1)) };
    let shots = problem.whole(&problem.solve());
    match shots.iter().position(|&number| number > MOST) {
        Some(group) => Err(AllocationError::TooMany { group }),
        None => Ok(shots.into_iter().map(to_integer).collect()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "larger numbers are refused")]
const fn to_float(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole, positive and at most 2^53"
)]
const fn to_integer(number: f64) -> u64 {
    number as u64
}

/// Σ over a row of share / N ≤ 1, for each row.
struct Problem {
    groups: usize,
    /// For each observable the groups that it has a variance in, and its ratio to the squared target.
    rows: Vec<Vec<(usize, f64)>>,
    minimum: f64,
}

impl Problem {
    fn load(row: &[(usize, f64)], shots: &[f64]) -> f64 {
        row.iter().map(|&(group, share)| share / shots[group]).sum()
    }

    fn fits(&self, shots: &[f64]) -> bool {
        self.rows.iter().all(|row| Self::load(row, shots) <= 1.0 + ROUNDING)
    }

    /// Roots of the shares' sums, weighted by the multipliers.
    fn roots(&self, multipliers: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.groups];
        for (row, multiplier) in self.rows.iter().zip(multipliers) {
            for &(group, share) in row {
                sums[group] += multiplier * share;
            }
        }
        sums.iter().map(|sum: &f64| sum.sqrt()).collect()
    }

    fn clamped(&self, roots: &[f64], scale: f64) -> Vec<f64> {
        roots.iter().map(|root| (root * scale).max(self.minimum)).collect()
    }

    /// The smallest scale of the roots that fits, or slightly more.
    fn scale(&self, roots: &[f64]) -> f64 {
        let worst = |scale| {
            let shots = self.clamped(roots, scale);
            self.rows.iter().map(|row| Self::load(row, &shots)).fold(0.0, f64::max)
        };
        if worst(0.0) <= 1.0 + ROUNDING {
            return 0.0;
        }
        // The load goes with the inverse of the scale, or less where there is the minimum. So each step
        // still fits, and without a minimum the first is the last.
        let inverse = |&(group, share): &(usize, f64)| share / roots[group];
        let loads = self.rows.iter().map(|row| row.iter().map(inverse).sum());
        let mut scale = loads.fold(0.0, f64::max);
        for _ in 0..STEPS {
            let load = worst(scale);
            scale *= load;
            if load > 1.0 - ROUNDING {
                break;
            }
        }
        scale
    }

    /// Real-valued numbers of shots that fit.
    fn solve(&self) -> Vec<f64> {
        if self.rows.is_empty() {
            return vec![self.minimum; self.groups];
        }
        let mut multipliers = vec![1.0; self.rows.len()];
        let mut best = (f64::INFINITY, Vec::new());
        let mut bound = 0.0_f64;
        for iteration in 0..ITERATIONS {
            let roots = self.roots(&multipliers);
            if iteration % 16 == 0 {
                let scale = self.scale(&roots);
                let shots = self.clamped(&roots, scale);
                let total = shots.iter().sum();
                bound = bound.max(self.bound(&roots, &multipliers, scale));
                if total < best.0 {
                    best = (total, shots);
                }
                if best.0 <= bound * (1.0 + GAP) || self.rows.len() == 1 {
                    break;
                }
                // The scale is known; it need not be found by iteration.
                let square = if scale > 0.0 { scale * scale } else { 1.0 };
                for multiplier in &mut multipliers {
                    *multiplier *= square;
                }
                continue;
            }
            let shots = self.clamped(&roots, 1.0);
            for (multiplier, row) in multipliers.iter_mut().zip(&self.rows) {
                // Far below any influence, but never lost.
                *multiplier = (*multiplier * Self::load(row, &shots)).max(1e-290);
            }
        }
        best.1
    }

    /// Value of the dual problem: no allocation has fewer shots.
    fn bound(&self, roots: &[f64], multipliers: &[f64], scale: f64) -> f64 {
        let of_group = |root: &f64| {
            let root = root * scale;
            if root > self.minimum { 2.0 * root } else { self.minimum + root * root / self.minimum }
        };
        let price: f64 = multipliers.iter().sum();
        roots.iter().map(of_group).sum::<f64>() - price * scale * scale
    }

    /// Whole numbers of shots that fit.
    fn whole(&self, shots: &[f64]) -> Vec<f64> {
        let mut up: Vec<_> =
            shots.iter().map(|number| (number * (1.0 - ROUNDING)).ceil()).collect();
        if shots.iter().any(|&number| number > MANY_SHOTS) {
            return up;
        }
        let mut loads: Vec<_> = self.rows.iter().map(|row| Self::load(row, &up)).collect();
        let columns = self.columns();
        self.lower(&mut up, &mut loads, &columns);
        let mut down: Vec<_> =
            shots.iter().map(|number| number.floor().max(self.minimum)).collect();
        self.raise(&mut down, &columns);
        let mut loads = self.rows.iter().map(|row| Self::load(row, &down)).collect();
        self.lower(&mut down, &mut loads, &columns);
        let total = |shots: &[f64]| shots.iter().sum::<f64>();
        let mut best = if total(&down) < total(&up) { down } else { up };
        if self.groups <= FEW_GROUPS {
            self.exchange(&mut best, &columns);
        }
        best
    }

    /// For each group the rows that it is in, with the shares.
    fn columns(&self) -> Vec<Vec<(usize, f64)>> {
        let mut columns = vec![Vec::new(); self.groups];
        for (index, row) in self.rows.iter().enumerate() {
            for &(group, share) in row {
                columns[group].push((index, share));
            }
        }
        columns
    }

    /// Takes shots away where that costs the least, as long as the rest fits.
    fn lower(&self, shots: &mut [f64], loads: &mut Vec<f64>, columns: &[Vec<(usize, f64)>]) {
        loop {
            let price = |group: usize| {
                let number = shots[group];
                if number <= self.minimum {
                    return f64::INFINITY;
                }
                let mut price = 0.0_f64;
                for &(row, share) in &columns[group] {
                    let more = share / (number - 1.0) - share / number;
                    let left = 1.0 + ROUNDING - loads[row];
                    price = price.max(if more > left { f64::INFINITY } else { more / left });
                }
                price
            };
            let cheapest = (0..self.groups).map(|group| (price(group), group));
            let Some((price, group)) = cheapest.min_by(|one, other| one.0.total_cmp(&other.0))
            else {
                return;
            };
            if price.is_infinite() {
                return;
            }
            shots[group] -= 1.0;
            *loads = self.rows.iter().map(|row| Self::load(row, shots)).collect();
            if loads.iter().any(|&load| load > 1.0 + ROUNDING) {
                shots[group] += 1.0;
                return;
            }
        }
    }

    /// Adds shots where they help the most, until all fit.
    fn raise(&self, shots: &mut [f64], columns: &[Vec<(usize, f64)>]) {
        loop {
            let loads: Vec<_> = self.rows.iter().map(|row| Self::load(row, shots)).collect();
            if loads.iter().all(|&load| load <= 1.0 + ROUNDING) {
                return;
            }
            let help = |group: usize| -> f64 {
                let number = shots[group];
                let of_row = |&(row, share): &(usize, f64)| {
                    (share / number - share / (number + 1.0))
                        .min((loads[row] - 1.0 - ROUNDING).max(0.0))
                };
                columns[group].iter().map(of_row).sum()
            };
            let helps = (0..self.groups).map(|group| (help(group), group));
            match helps.max_by(|one, other| one.0.total_cmp(&other.0)) {
                Some((help, group)) if help > 0.0 => shots[group] += 1.0,
                // What is left is lost in rounding.
                _ => shots.iter_mut().for_each(|number| *number += 1.0),
            }
        }
    }

    /// Adds shots to a group, and takes more away from others, as long as that is possible.
    fn exchange(&self, shots: &mut [f64], columns: &[Vec<(usize, f64)>]) {
        while let Some(better) = self.exchanged(shots) {
            shots.copy_from_slice(&better);
            let mut loads = self.rows.iter().map(|row| Self::load(row, shots)).collect();
            self.lower(shots, &mut loads, columns);
        }
    }

    fn exchanged(&self, shots: &[f64]) -> Option<Vec<f64>> {
        for more in 0..self.groups {
            for extra in [1.0, 2.0] {
                let mut tried = shots.to_vec();
                tried[more] += extra;
                for one in 0..self.groups {
                    for other in one..self.groups {
                        let steps: &[(f64, f64)] =
                            if extra < 2.0 { &[(1.0, 1.0)] } else { &[(1.0, 2.0), (2.0, 1.0)] };
                        for &(from_one, from_other) in steps {
                            let before = (tried[one], tried[other]);
                            tried[one] -= from_one;
                            tried[other] -= from_other;
                            if tried[one].min(tried[other]) >= self.minimum && self.fits(&tried) {
                                return Some(tried);
                            }
                            (tried[one], tried[other]) = before;
                        }
                    }
                }
            }
        }
        None
    }
}
