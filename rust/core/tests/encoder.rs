//! Properties of the request encoder and of the ranges of angles.

use std::f64::consts::PI;

use aqt_core::{
    Circuit, CircuitBuilder, CircuitError, Limits, Operation,
    circuit::operation::CLAMP_RADIANS,
    wire::encoder::{encode_circuit, encode_job},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

fn cases(number: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(number) }
}

/// A gate as a user would give it, angles in radians.
#[derive(Clone, Debug)]
enum Gate {
    Rz(u32, f64),
    R(u32, f64, f64),
    Rxx([u32; 2], f64),
}

impl Gate {
    fn checked(&self) -> Operation {
        match *self {
            Self::Rz(qubit, phi) => Operation::rz(qubit, phi),
            Self::R(qubit, theta, phi) => Operation::r(qubit, theta, phi),
            Self::Rxx(qubits, theta) => Operation::rxx(qubits, theta),
        }
        .unwrap()
    }

    /// What the wire format has for the gate.
    fn expected(&self) -> Value {
        // The sum makes a 0 of -0, which a lower bound of 0 asks for.
        let within = |angle: f64, upper: f64| (angle / PI).clamp(0.0, upper) + 0.0;
        match *self {
            Self::Rz(qubit, phi) => json!({"operation": "RZ", "qubit": qubit, "phi": turned(phi)}),
            Self::R(qubit, theta, phi) => json!({
                "operation": "R",
                "qubit": qubit,
                "phi": within(phi, 2.0),
                "theta": within(theta, 1.0),
            }),
            Self::Rxx(qubits, theta) => json!({
                "operation": "RXX",
                "qubits": qubits,
                "theta": within(theta, 0.5),
            }),
        }
    }
}

/// The angle of an RZ in units of π; a large one without its whole turns.
fn turned(phi: f64) -> f64 {
    if phi.abs() > 1e6 { phi.sin().atan2(phi.cos()) / PI } else { phi / PI }
}

/// An angle that is accepted for a bound of `upper` times π.
fn bounded(upper: f64) -> impl Strategy<Value = f64> {
    let end = upper * PI;
    prop_oneof![
        6 => 0.0..=end,
        1 => select(vec![0.0, -0.0, end, end / 2.0, end.next_down(), end.next_up()]),
        1 => select(vec![5e-324, f64::MIN_POSITIVE, 1e-300, 1e-17, -5e-324, -1e-300]),
        1 => -0.999e-9..0.0,
        1 => (0.0..0.999e-9).prop_map(move |excess| end + excess),
        1 => (0..=64_u8).prop_map(move |eighths| end * f64::from(eighths) / 64.0),
    ]
}

/// Any finite angle.
fn finite() -> impl Strategy<Value = f64> {
    use prop::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![
        -20.0..20.0,
        POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO,
        (-50..50_i8).prop_map(|eighths| f64::from(eighths) * PI / 8.0),
        select(vec![f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, -0.0]),
    ]
}

fn gate(num_qubits: u32) -> BoxedStrategy<Gate> {
    let qubit = || 0..num_qubits;
    let rz = (qubit(), finite()).prop_map(|(qubit, phi)| Gate::Rz(qubit, phi));
    let r = (qubit(), bounded(1.0), bounded(2.0))
        .prop_map(|(qubit, theta, phi)| Gate::R(qubit, theta, phi));
    if num_qubits < 2 {
        return prop_oneof![rz, r].boxed();
    }
    let pair = (qubit(), 1..num_qubits).prop_map(|(a, b)| if a < b { [a, b] } else { [a, b - 1] });
    let rxx = (pair, bounded(0.5)).prop_map(|(qubits, theta)| Gate::Rxx(qubits, theta));
    prop_oneof![rz, r, rxx].boxed()
}

/// A number of qubits, gates, and the measured qubits.
type Description = (u32, Vec<Gate>, Vec<u32>);

fn description() -> impl Strategy<Value = Description> {
    let num_qubits = prop_oneof![8 => 1..=31_u32, 2 => 32..=2000_u32, 1 => any::<u32>()];
    num_qubits.prop_map(|number| number.max(1)).prop_flat_map(|num_qubits| {
        (Just(num_qubits), vec(gate(num_qubits), 0..16), vec(0..num_qubits, 1..4))
    })
}

fn build((num_qubits, gates, measured): &Description) -> Circuit {
    let limits = Limits { qubits: u32::MAX, operations: 2000 };
    let mut builder = CircuitBuilder::new(*num_qubits, 1, gates.len(), limits).unwrap();
    for gate in gates {
        builder.gate(gate.checked()).unwrap();
    }
    for &qubit in measured {
        builder.measure(qubit, 0).unwrap();
    }
    builder.finish().unwrap()
}

/// Equality in which numbers are doubles, compared bit by bit, and objects have the same keys.
fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(a), Value::Number(b)) if a.is_u64() || b.is_u64() => a == b,
        (Value::Number(a), Value::Number(b)) => {
            a.as_f64().unwrap().to_bits() == b.as_f64().unwrap().to_bits()
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => found == expected,
    }
}

/// Any text, with what JSON must escape more often than not.
fn label() -> impl Strategy<Value = String> {
    let char = prop_oneof![
        any::<char>(),
        prop::char::range('\0', '\u{7f}'),
        select(vec!['"', '\\', '/', '\u{0}', '\u{1f}', '\u{7f}', '\u{2028}', '\u{ffff}', '😀']),
    ];
    vec(char, 0..20).prop_map(|chars| chars.into_iter().collect())
}

/// The number of keys in a JSON text, equal ones included: `serde_json` keeps the last of them.
fn count_keys(text: &str) -> usize {
    let (mut keys, mut in_string, mut escaped) = (0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b':' if !in_string => keys += 1,
            _ => {}
        }
    }
    keys
}

proptest! {
    #![proptest_config(cases(5000))]

    /// A body says exactly what a naive encoder makes of the same gates: the same keys, the same
    /// operations in order with one MEASURE at the end, and the same doubles to the last bit.
    #[test]
    fn bodies_say_what_a_naive_encoder_says(
        descriptions in vec((description(), prop_oneof![1..=2000_u32, any::<u32>()]), 0..4),
        label in option::of(label()),
    ) {
        let circuits: Vec<_> =
            descriptions.iter().map(|(description, shots)| (build(description), *shots)).collect();
        let runs = circuits.iter().map(|(circuit, shots)| (circuit, *shots));
        let body = encode_job(runs, label.as_deref());
        let expected: Vec<_> = descriptions
            .iter()
            .map(|((num_qubits, gates, _), shots)| {
                let mut operations: Vec<_> = gates.iter().map(Gate::expected).collect();
                operations.push(json!({"operation": "MEASURE"}));
                json!({
                    "repetitions": shots,
                    "quantum_circuit": operations,
                    "number_of_qubits": num_qubits,
                })
            })
            .collect();
        let expected = json!({
            "job_type": "quantum_circuit",
            "label": label,
            "payload": {"circuits": expected},
        });
        let found: Value = serde_json::from_slice(&body).unwrap();
        let body = String::from_utf8(body).unwrap();
        prop_assert!(same(&found, &expected), "{}\n{}", body, expected);
        prop_assert_eq!(count_keys(&body), count_keys(&expected.to_string()), "{}", body);
    }

    /// A number has the fewest digits that read back as the same double, as many as the standard
    /// library writes. Which of two equally near ones is left open.
    #[test]
    fn numbers_have_the_fewest_digits(phi in finite()) {
        let digits = |text: &str| {
            let mantissa = text.split(['e', 'E']).next().unwrap();
            let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
            digits.trim_matches('0').len()
        };
        let body = encode_job([(&build(&(1, vec![Gate::Rz(0, phi)], vec![0])), 1)], None);
        let body = String::from_utf8(body).unwrap();
        let (_, rest) = body.split_once(r#""phi":"#).unwrap();
        let (found, _) = rest.split_once('}').unwrap();
        prop_assert_eq!(digits(found), digits(&format!("{:e}", turned(phi))), "{}", found);
    }

    /// Any label comes back as it was, and is no way to write anything but a label.
    #[test]
    fn labels_come_back(label in label()) {
        let body = encode_job([], Some(&label));
        let found: Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({
            "job_type": "quantum_circuit",
            "label": label,
            "payload": {"circuits": []},
        });
        prop_assert_eq!(found, expected);
    }

    /// An angle within its range is divided by π and not changed otherwise.
    #[test]
    fn angles_within_the_range_are_divided_by_pi(
        theta in 0.0..=PI,
        phi in 0.0..=2.0 * PI,
        half in 0.0..=PI / 2.0,
    ) {
        prop_assert_eq!(
            Operation::r(0, theta, phi),
            Ok(Operation::R { qubit: 0, phi: phi / PI, theta: theta / PI })
        );
        prop_assert_eq!(
            Operation::rxx([0, 1], half),
            Ok(Operation::Rxx { qubits: [0, 1], theta: half / PI })
        );
    }

    /// An angle less than 10⁻⁹ outside its range is moved onto the bound.
    #[test]
    fn angles_next_to_a_bound_are_moved_onto_it(
        excess in prop_oneof![0.0..0.999e-9_f64, (-40.0..-9.1_f64).prop_map(|e| 10_f64.powf(e))],
        other in 0.0..=PI,
    ) {
        let r = |phi, theta| Ok(Operation::R { qubit: 0, phi, theta });
        let rxx = |theta| Ok(Operation::Rxx { qubits: [0, 1], theta });
        prop_assert_eq!(Operation::r(0, -excess, other), r(other / PI, 0.0));
        prop_assert_eq!(Operation::r(0, PI + excess, other), r(other / PI, 1.0));
        prop_assert_eq!(Operation::r(0, other, -excess), r(0.0, other / PI));
        prop_assert_eq!(Operation::r(0, other, 2.0 * PI + excess), r(2.0, other / PI));
        prop_assert_eq!(Operation::rxx([0, 1], -excess), rxx(0.0));
        prop_assert_eq!(Operation::rxx([0, 1], PI / 2.0 + excess), rxx(0.5));
    }

    /// An angle more than 10⁻⁹ outside its range is refused, with its name, value and bound.
    #[test]
    fn angles_further_out_are_refused(
        excess in prop_oneof![1.001e-9..2e-9_f64, 1e-8..1.0, 1.0..1e6, Just(f64::MAX / 2.0)],
        other in 0.0..=PI,
    ) {
        let refused = |angle, value, upper| {
            Err(CircuitError::AngleOutOfRange { angle, value, upper })
        };
        for value in [-excess, PI + excess] {
            prop_assert_eq!(Operation::r(0, value, other), refused("theta", value, 1.0));
        }
        for value in [-excess, 2.0 * PI + excess] {
            prop_assert_eq!(Operation::r(0, other, value), refused("phi", value, 2.0));
        }
        for value in [-excess, PI / 2.0 + excess] {
            prop_assert_eq!(Operation::rxx([0, 1], value), refused("theta", value, 0.5));
        }
    }

    /// Whatever angle is given, the outcome is an angle within the range next to the one given,
    /// never -0, or an error of the right kind.
    #[test]
    fn every_angle_is_in_range_moved_or_refused(theta in any::<f64>(), wide in -10.0..10.0) {
        for theta in [theta, wide] {
            match Operation::rxx([1, 0], theta) {
                Ok(Operation::Rxx { qubits: [1, 0], theta: found }) => {
                    prop_assert!((0.0..=0.5).contains(&found) && found.is_sign_positive());
                    prop_assert!((found * PI - theta).abs() <= 1.000_001 * CLAMP_RADIANS);
                }
                Err(CircuitError::AngleNotFinite { angle: "theta", .. }) => {
                    prop_assert!(!theta.is_finite());
                }
                Err(CircuitError::AngleOutOfRange { angle: "theta", value, upper }) => {
                    prop_assert!(theta.is_finite() && upper.to_bits() == 0.5_f64.to_bits());
                    prop_assert_eq!(value.to_bits(), theta.to_bits());
                    prop_assert!(!(0.0..=PI / 2.0).contains(&theta));
                }
                other => prop_assert!(false, "{:?}", other),
            }
            prop_assert_eq!(Operation::rz(0, theta).is_ok(), theta.is_finite());
        }
    }

    /// A gate or measurement outside the register, or a gate after a measurement, is refused and
    /// leaves the circuit as it was.
    #[test]
    fn the_builder_refuses_what_does_not_fit(
        num_qubits in 1..10_u32,
        steps in vec((0..4_u8, 0..12_u32, 0..12_u32), 0..20),
    ) {
        let limits = Limits { qubits: 9, operations: 12 };
        let mut builder = CircuitBuilder::new(num_qubits, 5, 20, limits).unwrap();
        let (mut expected, mut measured) = (Vec::new(), false);
        for (kind, a, b) in steps {
            if kind == 0 {
                let fits = a < num_qubits && b < 5;
                prop_assert_eq!(builder.measure(a, b).is_ok(), fits);
                measured |= fits;
                continue;
            }
            let (operation, max) = if kind == 1 && a != b {
                (Operation::rxx([a, b], 0.25).unwrap(), a.max(b))
            } else {
                (Operation::r(a, 0.25, 0.5).unwrap(), a)
            };
            let fits = !measured && max < num_qubits;
            prop_assert_eq!(builder.gate(operation).is_ok(), fits);
            expected.extend(fits.then_some(operation));
        }
        let found = expected.len() + 1;
        match builder.finish() {
            Ok(circuit) => {
                prop_assert!(measured && found <= 12);
                prop_assert_eq!(circuit.operations(), &expected);
                prop_assert_eq!(circuit.num_qubits(), num_qubits);
            }
            Err(CircuitError::NoMeasurement) => prop_assert!(!measured),
            Err(error) => {
                prop_assert!(measured && found > 12);
                prop_assert_eq!(error, CircuitError::TooManyOperations { found, limit: 12 });
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(60))]

    /// Large jobs are the circuits' own texts in order.
    #[test]
    fn large_jobs_are_their_circuits_in_order(
        parts in vec((description(), 0..2000_usize), 0..20),
        shots in 1..=2000_u32,
    ) {
        let mut circuits = Vec::new();
        for ((num_qubits, gates, measured), length) in parts {
            let gates = gates.iter().cycle().take(length).cloned().collect();
            circuits.push(build(&(num_qubits, gates, measured)));
        }
        let mut texts = Vec::new();
        for circuit in &circuits {
            texts.push(String::from_utf8(encode_circuit(circuit, shots)).unwrap());
        }
        let expected = format!(
            r#"{{"job_type":"quantum_circuit","label":null,"payload":{{"circuits":[{}]}}}}"#,
            texts.join(",")
        );
        let runs = circuits.iter().map(|circuit| (circuit, shots));
        prop_assert!(encode_job(runs, None) == expected.as_bytes());
    }
}
