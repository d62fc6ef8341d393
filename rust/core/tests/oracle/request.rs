//! Requests, read slowly.

use aqt_core::{Job, Operation};

use super::{Invalid, Tree, Verdict, array, judge, one, optional, required, text};

/// Repetitions, number of qubits, and the operations before the measurement.
pub type Run = (u32, u32, Vec<Operation>);

/// A label and the circuits.
pub type Request = (Option<String>, Vec<Run>);

/// Judges a request body.
pub fn verdict(body: &[u8]) -> Verdict<Request> {
    judge(body, |root| {
        let job_type = one(root, "job_type")?.map_or(Ok("quantum_circuit".into()), text)?;
        let label = optional(root, "label", text)?;
        let payload = one(root, "payload")?.ok_or(Invalid)?;
        let circuits = array(one(payload, "circuits")?.ok_or(Invalid)?)?;
        if job_type != "quantum_circuit" || !(1..=50).contains(&circuits.len()) {
            return Err(Invalid);
        }
        Ok((label, circuits.iter().map(run).collect::<Result<_, _>>()?))
    })
}

/// Unpacks what was read.
pub fn unpack(job: &Job) -> Request {
    let run = |(repetitions, circuit): &(u32, aqt_core::Circuit)| {
        (*repetitions, circuit.num_qubits(), circuit.operations().to_vec())
    };
    (job.label().map(str::to_owned), job.circuits().iter().map(run).collect())
}

fn run(circuit: &Tree) -> Result<Run, Invalid> {
    let repetitions = required(circuit, "repetitions", whole)?;
    let num_qubits = required(circuit, "number_of_qubits", whole)?;
    let operations = array(one(circuit, "quantum_circuit")?.ok_or(Invalid)?)?;
    let Some((last, gates)) = operations.split_last() else {
        return Err(Invalid);
    };
    let measure = Tree::Object(vec![("operation".into(), Tree::Text("MEASURE".into()))]);
    let gates = gates.iter().map(gate).collect::<Result<Vec<_>, _>>()?;
    let valid = (1..=2000).contains(&repetitions)
        && (1..=31).contains(&num_qubits)
        && operations.len() <= 2000
        && *last == measure
        && gates.iter().all(|gate| gate.max_qubit() < num_qubits);
    if valid { Ok((repetitions, num_qubits, gates)) } else { Err(Invalid) }
}

fn gate(operation: &Tree) -> Result<Operation, Invalid> {
    let Tree::Object(entries) = operation else {
        return Err(Invalid);
    };
    let mut keys: Vec<_> = entries.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    let angle = |key, upper| match required(operation, key, number)? {
        value if 0.0 <= value && value <= upper => Ok(value),
        _ => Err(Invalid),
    };
    match (required(operation, "operation", text)?.as_str(), &keys[..]) {
        ("RZ", ["operation", "phi", "qubit"]) => Ok(Operation::Rz {
            qubit: required(operation, "qubit", whole)?,
            phi: Some(required(operation, "phi", number)?)
                .filter(|x| x.is_finite())
                .ok_or(Invalid)?,
        }),
        ("R", ["operation", "phi", "qubit", "theta"]) => Ok(Operation::R {
            qubit: required(operation, "qubit", whole)?,
            phi: angle("phi", 2.0)?,
            theta: angle("theta", 1.0)?,
        }),
        ("RXX", ["operation", "qubits", "theta"]) => {
            let qubits = array(one(operation, "qubits")?.ok_or(Invalid)?)?;
            match qubits.iter().map(whole).collect::<Result<Vec<_>, _>>()?[..] {
                [a, b] if a != b => {
                    Ok(Operation::Rxx { qubits: [a, b], theta: angle("theta", 0.5)? })
                }
                _ => Err(Invalid),
            }
        }
        _ => Err(Invalid),
    }
}

fn whole(value: &Tree) -> Result<u32, Invalid> {
    match value {
        Tree::Token(token) => token.parse().map_err(|_| Invalid),
        _ => Err(Invalid),
    }
}

fn number(value: &Tree) -> Result<f64, Invalid> {
    match value {
        // What the standard library reads beyond JSON's numbers is no valid JSON.
        Tree::Token(token) => token.parse().map_err(|_| Invalid),
        _ => Err(Invalid),
    }
}
