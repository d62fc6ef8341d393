//! Neighbouring circuits that differ in their angles only.

use std::borrow::Cow;

use super::{
    circuit::{Circuit, MeasurementMap},
    operation::{Operation, radians},
};

/// Neighbouring circuits with the same gates on the same qubits.
#[derive(Clone, Debug, PartialEq)]
pub struct Alike {
    /// Number of circuits.
    pub len: usize,
    /// Angles in radians, row by row: the value in each circuit of one angle, then of the next. The
    /// angles are in the order of the gates; θ comes before φ.
    pub angles: Vec<f64>,
}

/// Cuts circuits into the longest runs of neighbours that are alike.
///
/// If `measured` is set, circuits that are alike measure the same qubits, too.
#[must_use]
pub fn alike<'a>(
    circuits: impl IntoIterator<Item = (Cow<'a, Circuit>, Cow<'a, MeasurementMap>)>,
    measured: bool,
) -> Vec<Alike> {
    let mut runs = Vec::new();
    let mut run: Option<Run<'a>> = None;
    for (circuit, map) in circuits {
        let qubits = if measured { measured_qubits(&map) } else { Vec::new() };
        match &mut run {
            Some(run) if are_alike(&run.first, &circuit) && run.measured == qubits => {
                run.push(&circuit);
            }
            _ => {
                let mut next = Run { first: circuit, measured: qubits, len: 0, rows: Vec::new() };
                let first = next.first.clone();
                next.push(&first);
                runs.extend(run.replace(next).map(Run::finish));
            }
        }
    }
    runs.extend(run.map(Run::finish));
    runs
}

struct Run<'a> {
    first: Cow<'a, Circuit>,
    measured: Vec<u32>,
    len: usize,
    /// The angles of each circuit, one circuit after the other.
    rows: Vec<f64>,
}

impl Run<'_> {
    fn push(&mut self, circuit: &Circuit) {
        self.len += 1;
        for operation in circuit.operations() {
            match *operation {
                Operation::Rz { phi, .. } => self.rows.push(radians(phi)),
                Operation::R { phi, theta, .. } => {
                    self.rows.extend([radians(theta), radians(phi)]);
                }
                Operation::Rxx { theta, .. } => self.rows.push(radians(theta)),
            }
        }
    }

    fn finish(self) -> Alike {
        let width = self.rows.len() / self.len;
        let angle = |place: usize| self.rows[place..].iter().step_by(width).copied();
        Alike { len: self.len, angles: (0..width).flat_map(angle).collect() }
    }
}

/// The qubits that a map measures, each once, in ascending order.
fn measured_qubits(map: &MeasurementMap) -> Vec<u32> {
    let mut qubits: Vec<_> = map.sources().iter().copied().flatten().collect();
    qubits.sort_unstable();
    qubits.dedup();
    qubits
}

/// Whether two circuits have the same gates on the same qubits.
fn are_alike(first: &Circuit, second: &Circuit) -> bool {
    let same = |(a, b): (&Operation, &Operation)| {
        std::mem::discriminant(a) == std::mem::discriminant(b) && a.qubits() == b.qubits()
    };
    first.num_qubits() == second.num_qubits()
        && first.operations().len() == second.operations().len()
        && first.operations().iter().zip(second.operations()).all(same)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn circuit(num_qubits: u32, operations: &[Operation]) -> Circuit {
        Circuit::from_checked(num_qubits, operations.to_vec())
    }

    fn found(circuits: &[(Circuit, MeasurementMap)], measured: bool) -> Vec<(usize, Vec<f64>)> {
        let borrowed = circuits.iter().map(|(one, map)| (Cow::Borrowed(one), Cow::Borrowed(map)));
        alike(borrowed, measured).into_iter().map(|run| (run.len, run.angles)).collect()
    }

    #[test]
    fn angles_stand_together() {
        let with = |theta, phi, other| {
            let operations = [
                Operation::R { qubit: 1, theta, phi },
                Operation::Rxx { qubits: [0, 1], theta: other },
                Operation::Rz { qubit: 0, phi: theta },
            ];
            (circuit(2, &operations), MeasurementMap::identity(2))
        };
        let pi = |values: &[f64]| values.iter().map(|value| value * PI).collect::<Vec<_>>();
        let run = pi(&[0.25, 0.75, 1.0, 1.5, 0.5, 0.0, 0.25, 0.75]);
        let circuits = [with(0.25, 1.0, 0.5), with(0.75, 1.5, 0.0)];
        assert_eq!(found(&circuits, false), [(2, run)]);
        assert_eq!(found(&[], false), []);
    }

    #[test]
    fn other_gates_qubits_and_sizes_end_a_run() {
        let rz = |qubit| Operation::Rz { qubit, phi: 0.5 };
        let r = |qubit| Operation::R { qubit, theta: 0.5, phi: 0.5 };
        let rxx = |qubits| Operation::Rxx { qubits, theta: 0.5 };
        let lists: [&[Operation]; 8] = [
            &[],
            &[rz(0)],
            &[rz(1)],
            &[r(1)],
            &[r(1), r(1)],
            &[r(1)],
            &[rxx([0, 1])],
            &[rxx([1, 0])],
        ];
        let mut circuits: Vec<_> =
            lists.iter().map(|list| (circuit(2, list), MeasurementMap::identity(2))).collect();
        circuits.push((circuit(3, lists[7]), MeasurementMap::identity(2)));
        assert!(found(&circuits, false).iter().all(|(len, _)| *len == 1));
        let nothing = vec![circuits[0].clone(); 3];
        assert_eq!(found(&nothing, false), [(3, vec![])]);
    }

    #[test]
    fn measured_qubits_matter_if_wanted() {
        let map = |sources: &[u32]| {
            let mut map = MeasurementMap::new(3);
            for (clbit, &qubit) in (0..).zip(sources) {
                map.measure(qubit, clbit).unwrap();
            }
            (circuit(2, &[]), map)
        };
        let circuits = [map(&[0, 1]), map(&[1, 0, 1]), map(&[1])];
        assert_eq!(found(&circuits, false), [(3, vec![])]);
        assert_eq!(found(&circuits, true), [(2, vec![]), (1, vec![])]);
    }
}
