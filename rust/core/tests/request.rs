//! Properties of the request reader, and of the samples that are made up for a request.

mod documents;
#[allow(dead_code, reason = "each test takes what it needs")]
mod oracle;

use std::{collections::BTreeMap, f64::consts::PI};

use aqt_core::{
    BodyError, CircuitBuilder, Job, Limits, Operation,
    wire::{encoder::encode_job, fake_device, request},
};
use documents::{
    Layout, Renderer, TreeEdit, apply, apply_to_tree, cases, edit, junk, layout, object, text,
    tree_edit,
};
use oracle::{
    Tree, Verdict,
    request::{Request, Run},
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};

/// Reads; an error must lie within the body.
fn read(body: &[u8]) -> Result<Job, BodyError> {
    let job = request::read(body);
    if let Err(error) = &job {
        assert!(error.offset <= body.len(), "{error:?} beyond {} bytes", body.len());
    }
    job
}

/// Reads and compares with the oracle.
fn agree(body: &[u8]) {
    let job = read(body);
    let shown = || String::from_utf8_lossy(body).into_owned();
    match (oracle::request::verdict(body), &job) {
        (Verdict::Accept(expected), Ok(job)) => {
            assert_eq!(oracle::request::unpack(job), expected, "{}", shown());
        }
        (Verdict::Accept(_), Err(error)) => panic!("refused, {error:?}: {}", shown()),
        (Verdict::Reject, Ok(_)) => panic!("accepted: {}", shown()),
        (Verdict::Reject, Err(_)) | (Verdict::Unknown, _) => {}
    }
}

/// An angle in units of π, often on a bound.
fn angle(upper: f64) -> impl Strategy<Value = f64> {
    prop_oneof![0.0..=upper, select(vec![0.0, upper, upper.next_down(), 5e-324])]
}

fn gate(num_qubits: u32) -> BoxedStrategy<Operation> {
    let qubit = || 0..num_qubits;
    let phi = prop_oneof![-20.0..20.0, select(vec![f64::MAX, f64::MIN, 0.0, 1e-300])];
    let rz = (qubit(), phi).prop_map(|(qubit, phi)| Operation::Rz { qubit, phi });
    let r = (qubit(), angle(2.0), angle(1.0)).prop_map(|(qubit, phi, theta)| Operation::R {
        qubit,
        phi,
        theta,
    });
    if num_qubits < 2 {
        return prop_oneof![rz, r].boxed();
    }
    let pair = (qubit(), 1..num_qubits).prop_map(|(a, b)| if a < b { [a, b] } else { [a, b - 1] });
    let rxx = (pair, angle(0.5)).prop_map(|(qubits, theta)| Operation::Rxx { qubits, theta });
    prop_oneof![rz, r, rxx].boxed()
}

fn run() -> impl Strategy<Value = Run> {
    let repetitions = prop_oneof![1..20_u32, select(vec![1, 2000])];
    (repetitions, 1..=31_u32).prop_flat_map(|(repetitions, num_qubits)| {
        (Just(repetitions), Just(num_qubits), vec(gate(num_qubits), 0..6))
    })
}

fn job() -> impl Strategy<Value = Request> {
    (option::of(text()), vec(run(), 1..4))
}

/// The document for a job. `extra` goes into the objects that take further keys.
fn document((label, runs): &Request, extra: &[(String, Tree)]) -> Tree {
    let number = |value: &dyn ToString| Tree::Token(value.to_string());
    let angle = |value: f64| Tree::Token(format!("{value:?}"));
    let name = |name: &str| ("operation", Tree::Text(name.into()));
    let gate = |gate: &Operation| {
        Tree::Object(match *gate {
            Operation::Rz { qubit, phi } => {
                object([name("RZ"), ("qubit", number(&qubit)), ("phi", angle(phi))])
            }
            Operation::R { qubit, phi, theta } => object([
                name("R"),
                ("qubit", number(&qubit)),
                ("phi", angle(phi)),
                ("theta", angle(theta)),
            ]),
            Operation::Rxx { qubits, theta } => object([
                name("RXX"),
                ("qubits", Tree::Array(qubits.iter().map(|qubit| number(qubit)).collect())),
                ("theta", angle(theta)),
            ]),
        })
    };
    let circuit = |(repetitions, num_qubits, gates): &Run| {
        let mut operations: Vec<_> = gates.iter().map(gate).collect();
        operations.push(Tree::Object(object([name("MEASURE")])));
        let known = object([
            ("repetitions", number(repetitions)),
            ("quantum_circuit", Tree::Array(operations)),
            ("number_of_qubits", number(num_qubits)),
        ]);
        Tree::Object([&known, extra].concat())
    };
    let circuits = Tree::Array(runs.iter().map(circuit).collect());
    let payload = [&object([("circuits", circuits)]), extra].concat();
    let label = label.clone().map_or(Tree::Token("null".into()), Tree::Text);
    let known = object([
        ("job_type", Tree::Text("quantum_circuit".into())),
        ("label", label),
        ("payload", Tree::Object(payload)),
    ]);
    Tree::Object([&known, extra].concat())
}

/// Keys that mean nothing to any object of a request.
fn extras() -> impl Strategy<Value = Vec<(String, Tree)>> {
    vec((text().prop_map(|key| key + "?"), junk()), 0..3)
}

const KEYS: &[&str] = &[
    "job_type",
    "label",
    "payload",
    "circuits",
    "repetitions",
    "quantum_circuit",
    "number_of_qubits",
    "operation",
    "qubit",
    "qubits",
    "phi",
    "theta",
    "x",
];

const NAMES: &[&str] = &["quantum_circuit", "R", "RZ", "RXX", "MEASURE", "rz", ""];

fn request_edit() -> impl Strategy<Value = TreeEdit> {
    tree_edit(KEYS.to_vec(), NAMES.to_vec())
}

/// What ideal turns give: each qubit turned by hand, shot by shot.
fn turned((_, num_qubits, gates): &Run) -> Option<Vec<u8>> {
    let mut qubits = vec![0; *num_qubits as usize];
    for gate in gates {
        match *gate {
            Operation::Rz { .. } | Operation::R { theta: 0.0, .. } => {}
            Operation::R { qubit, theta: 1.0, .. } => {
                qubits[qubit as usize] = 1 - qubits[qubit as usize];
            }
            _ => return None,
        }
    }
    Some(qubits)
}

/// Made-up samples as `serde_json` reads them.
fn samples(job: &Request, seed: u64) -> BTreeMap<String, Vec<Vec<u8>>> {
    let body = Renderer::render(&document(job, &[]), Layout { seed, compact: true });
    let text = fake_device::result(&read(body.as_bytes()).unwrap(), seed);
    assert!(!text.contains(&b' '));
    serde_json::from_slice(&text).unwrap()
}

proptest! {
    #![proptest_config(cases(5000))]

    /// What the encoder writes is what is read, to the last bit of each angle.
    #[test]
    fn what_is_written_is_read((label, runs) in job()) {
        let mut circuits = Vec::new();
        for (shots, num_qubits, gates) in &runs {
            let mut builder = CircuitBuilder::new(*num_qubits, 1, 0, Limits::default()).unwrap();
            for gate in gates {
                let gate = match *gate {
                    Operation::Rz { qubit, phi } => Operation::rz(qubit, phi / 4.0),
                    Operation::R { qubit, phi, theta } => {
                        Operation::r(qubit, theta * PI, phi * PI)
                    }
                    Operation::Rxx { qubits, theta } => Operation::rxx(qubits, theta * PI),
                };
                builder.gate(gate.unwrap()).unwrap();
            }
            builder.measure(0, 0).unwrap();
            circuits.push((*shots, builder.finish().unwrap()));
        }
        let written = circuits.iter().map(|(shots, circuit)| (circuit, *shots));
        let job = read(&encode_job(written, label.as_deref())).unwrap();
        prop_assert_eq!(job.label(), label.as_deref());
        prop_assert_eq!(job.circuits(), circuits);
    }

    /// Layout, key order, escapes and further keys do not matter; an end too early does.
    #[test]
    fn any_layout_is_read(
        job in job(),
        extra in extras(),
        layout in layout(),
        length in any::<Index>(),
    ) {
        let body = Renderer::render(&document(&job, &extra), layout);
        let found = read(body.as_bytes()).map_err(|error| {
            TestCaseError::fail(format!("{error:?}: {body}"))
        })?;
        prop_assert_eq!(oracle::request::unpack(&found), job);
        let prefix = &body.as_bytes()[..length.index(body.trim_end().len())];
        prop_assert!(read(prefix).is_err());
    }

    /// After changes of the document the reader agrees with the oracle.
    #[test]
    fn edited_documents_get_the_verdict_of_the_oracle(
        job in job(),
        extra in extras(),
        edits in vec(request_edit(), 1..=2),
        layout in layout(),
    ) {
        let mut root = document(&job, &extra);
        for edit in edits {
            apply_to_tree(&mut root, edit);
        }
        agree(Renderer::render(&root, layout).as_bytes());
    }

    /// After changes of bytes the reader agrees with the oracle.
    #[test]
    fn edited_bodies_get_the_verdict_of_the_oracle(
        job in job(),
        edits in vec(edit(), 1..=3),
        layout in layout(),
    ) {
        let mut body = Renderer::render(&document(&job, &[]), layout).into_bytes();
        for edit in edits {
            apply(&mut body, edit);
        }
        agree(&body);
    }
}

proptest! {
    #![proptest_config(cases(500))]

    /// Made-up samples have the shape that was asked for, are those of ideal turns where there is
    /// nothing else, and come again with the same seed.
    #[test]
    fn samples_have_the_right_shape(
        job in job(),
        turns in vec((0..31_u32, select(vec![0.0, 1.0]), angle(2.0)), 0..8),
        seed in any::<u64>(),
    ) {
        let mut job = job;
        let turn = |(qubit, theta, phi)| Operation::R { qubit, phi, theta };
        job.1.push((3, 31, turns.into_iter().map(turn).collect()));
        let found = samples(&job, seed);
        prop_assert_eq!(found.len(), job.1.len());
        for (index, run) in job.1.iter().enumerate() {
            let shots = &found[&index.to_string()];
            prop_assert_eq!(shots.len(), run.0 as usize);
            let turned = turned(run);
            prop_assert!(turned.is_some() || index + 1 < job.1.len());
            for shot in shots {
                prop_assert_eq!(shot.len(), run.1 as usize);
                prop_assert!(shot.iter().all(|&bit| bit < 2));
                prop_assert!(turned.as_ref().is_none_or(|turned| turned == shot));
            }
        }
        prop_assert_eq!(samples(&job, seed), found);
    }
}

/// Every qubit is about as often 0 as 1, and neither neighbours, shots, circuits nor seeds repeat
/// one another.
#[test]
fn random_samples_look_random() {
    let run = (2000, 31, vec![Operation::R { qubit: 0, phi: 0.0, theta: 0.5 }]);
    let job = (None, vec![run; 4]);
    let mut columns = Vec::new();
    for seed in [0, 1, u64::MAX] {
        for shots in samples(&job, seed).into_values() {
            for qubit in 0..31 {
                columns.push(shots.iter().map(|shot| shot[qubit]).collect::<Vec<_>>());
            }
        }
    }
    assert_eq!(columns.len(), 3 * 4 * 31);
    // Of 2000 fair bits, 250 more or less than the half are eleven standard deviations.
    let half = |number: usize| (750..=1250).contains(&number);
    for (index, column) in columns.iter().enumerate() {
        assert!(half(column.iter().map(|&bit| usize::from(bit)).sum()));
        assert!(half(column.windows(2).filter(|pair| pair[0] == pair[1]).count() + 1));
        for other in &columns[..index] {
            assert!(half(column.iter().zip(other).filter(|(a, b)| a == b).count()));
        }
    }
}
