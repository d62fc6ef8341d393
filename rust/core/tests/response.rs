//! Properties of the response decoder.

mod documents;
#[allow(dead_code, reason = "each test takes what it needs")]
mod oracle;

use aqt_core::{
    BodyError, JobState,
    wire::{MAX_DEPTH, response},
};
use documents::{
    Renderer, TreeEdit, apply, apply_to_tree, cases, edit, junk, layout, object, text, tree_edit,
};
use oracle::{Shots, State, Tree, Verdict};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};

/// An interface: the decoder of its responses and the oracle for it.
type Interface = (fn(&[u8]) -> Result<JobState, BodyError>, fn(&[u8]) -> Verdict<State>);

const CLOUD: Interface = (response::decode, oracle::verdict);
const DIRECT: Interface = (response::decode_direct, oracle::verdict_direct);

/// Decodes; an error must lie within the body.
fn decode(body: &[u8]) -> Result<JobState, BodyError> {
    decode_by(response::decode, body)
}

fn decode_by(
    decode: fn(&[u8]) -> Result<JobState, BodyError>,
    body: &[u8],
) -> Result<JobState, BodyError> {
    let decoded = decode(body);
    if let Err(error) = &decoded {
        assert!(error.offset <= body.len(), "{error:?} beyond {} bytes", body.len());
    }
    decoded
}

/// Decodes and compares with the oracle; tells whether the body was accepted.
fn agree(body: &[u8]) -> bool {
    agree_on(CLOUD, body)
}

fn agree_on((decode, verdict): Interface, body: &[u8]) -> bool {
    let decoded = decode_by(decode, body);
    let shown = || String::from_utf8_lossy(body).into_owned();
    match (verdict(body), &decoded) {
        (Verdict::Accept(expected), Ok(state)) => {
            assert_eq!(oracle::unpack(state), expected, "{}", shown());
        }
        (Verdict::Accept(_), Err(error)) => panic!("refused, {error:?}: {}", shown()),
        (Verdict::Reject, Ok(_)) => panic!("accepted: {}", shown()),
        (Verdict::Reject, Err(_)) | (Verdict::Unknown, _) => {}
    }
    decoded.is_ok()
}

/// Entries that mean nothing in an object with the given keys.
fn extras(keys: &'static [&'static str]) -> impl Strategy<Value = Vec<(String, Tree)>> {
    let near = select(keys).prop_map(|key| format!("{key}s"));
    let other = select(vec!["job", "status", "response", "result", "0", "message"]);
    let key = prop_oneof![text(), near, other.prop_map(String::from)]
        .prop_map(|key| if keys.contains(&key.as_str()) { key + "\u{0}" } else { key });
    vec((key, junk()), 0..3)
}

const ROOT_KEYS: &[&str] = &["response", "payload"];
const RESPONSE_KEYS: &[&str] = &["status", "finished_count", "message", "result", "timing_data"];
const CHANGE_KEYS: &[&str] = &["new_status", "timestamp"];

/// A circuit's shots: the width is often one that the decoder treats specially.
fn circuit(max_shots: usize) -> impl Strategy<Value = Shots> {
    let width = prop_oneof![3 => 1..=33_usize, 1 => 0..=70_usize];
    (width, vec(any::<u128>(), 0..=max_shots)).prop_map(|(width, rows)| {
        let row = |bits: u128| (0..width).map(|qubit| bits >> qubit & 1 == 1).collect();
        // Without a shot no width shows.
        (if rows.is_empty() { 0 } else { width }, rows.into_iter().map(row).collect())
    })
}

fn finished(max_circuits: usize, max_shots: usize) -> impl Strategy<Value = State> {
    let circuits = vec(circuit(max_shots), 1..=max_circuits);
    let timing = option::weighted(0.3, vec((text(), text()), 0..3));
    (option::of(any::<u64>()), option::of(text()), circuits, timing).prop_map(
        |(finished_count, message, circuits, timing)| State {
            status: "finished".into(),
            finished_count,
            message,
            samples: Some(circuits),
            timing,
        },
    )
}

/// A job in any state, mostly finished; small.
fn any_state() -> impl Strategy<Value = State> {
    let status = select(vec!["queued", "ongoing", "error", "cancelled"]);
    let other = (status, finished(2, 2), any::<bool>()).prop_map(|(status, state, samples)| {
        let mut state = State { status: status.into(), ..state };
        state.samples = state.samples.filter(|_| samples);
        match status {
            "ongoing" => _ = state.finished_count.get_or_insert(7),
            "error" => _ = state.message.get_or_insert_with(|| "ion lost".into()),
            _ => {}
        }
        state
    });
    prop_oneof![3 => finished(3, 6), 1 => other]
}

/// The document for a state. `extra` goes into the objects that take further keys; `null` says
/// whether what is missing is written as null.
fn document(state: &State, extra: &[Vec<(String, Tree)>; 3], null: bool) -> Tree {
    let [root, response, change] = extra;
    let bit = |&bit: &bool| Tree::Token(if bit { "1" } else { "0" }.into());
    let row = |row: &Vec<bool>| Tree::Array(row.iter().map(bit).collect());
    let circuit = |(index, (_, rows)): (usize, &Shots)| {
        (index.to_string(), Tree::Array(rows.iter().map(row).collect()))
    };
    let result =
        |circuits: &Vec<Shots>| Tree::Object(circuits.iter().enumerate().map(circuit).collect());
    let entry = |(new_status, timestamp): &(String, String)| {
        let known = object([
            ("new_status", Tree::Text(new_status.clone())),
            ("timestamp", Tree::Text(timestamp.clone())),
        ]);
        Tree::Object([known, change.clone()].concat())
    };
    let timing = |changes: &Vec<(String, String)>| Tree::Array(changes.iter().map(entry).collect());
    let mut entries = object([("status", Tree::Text(state.status.clone()))]);
    let fields = [
        ("finished_count", state.finished_count.map(|count| Tree::Token(count.to_string()))),
        ("message", state.message.clone().map(Tree::Text)),
        ("result", state.samples.as_ref().map(result)),
        ("timing_data", state.timing.as_ref().map(timing)),
    ];
    for (key, value) in fields {
        match value {
            Some(value) => entries.push((key.into(), value)),
            None if null => entries.push((key.into(), Tree::Token("null".into()))),
            None => {}
        }
    }
    entries.extend_from_slice(response);
    let known = object([("response", Tree::Object(entries))]);
    Tree::Object([known, root.clone()].concat())
}

/// The document of direct access for a state, with the samples of its first circuit alone.
fn direct_document(state: &State, extra: &[Vec<(String, Tree)>; 3], null: bool) -> Tree {
    let mut root = document(state, extra, null);
    if let Tree::Object(entries) = &mut root {
        entries[0].0 = "payload".into();
        if let Tree::Object(entries) = &mut entries[0].1
            && let Some((_, result)) = entries.iter_mut().find(|(key, _)| key == "result")
            && let Tree::Object(circuits) = result
        {
            *result = circuits.swap_remove(0).1;
        }
    }
    root
}

/// A change to the tree of a response.
fn response_edit() -> impl Strategy<Value = TreeEdit> {
    let keys = [ROOT_KEYS, RESPONSE_KEYS, CHANGE_KEYS, &["0", "1", "2", "00", "-1", "x", ""]];
    tree_edit(keys.concat(), vec!["queued", "finished", "ongoing", "error", "done", ""])
}

fn all_extras() -> impl Strategy<Value = [Vec<(String, Tree)>; 3]> {
    (extras(ROOT_KEYS), extras(RESPONSE_KEYS), extras(CHANGE_KEYS)).prop_map(<[_; 3]>::from)
}

proptest! {
    #![proptest_config(cases(5000))]

    /// A finished response decodes to the samples that were written, bit for bit, whatever its
    /// layout, key order, escapes and further keys.
    #[test]
    fn finished_responses_decode_to_what_was_written(
        state in finished(6, 40),
        extra in all_extras(),
        null in any::<bool>(),
        layout in layout(),
    ) {
        let body = Renderer::render(&document(&state, &extra, null), layout);
        let decoded = decode(body.as_bytes()).map_err(|error| {
            TestCaseError::fail(format!("{error:?}: {body}"))
        })?;
        let circuits = decoded.samples.as_ref().unwrap();
        let expected = state.samples.as_ref().unwrap();
        prop_assert_eq!(circuits.len(), expected.len());
        for (samples, (width, rows)) in circuits.iter().zip(expected) {
            prop_assert_eq!((samples.num_shots(), samples.num_qubits()), (rows.len(), *width));
            for (shot, row) in rows.iter().enumerate() {
                for (qubit, &bit) in row.iter().enumerate() {
                    prop_assert_eq!(samples.get(shot, qubit), bit, "{}", body);
                }
            }
        }
        prop_assert_eq!(oracle::unpack(&decoded), state);
    }

    /// A response in any state decodes to what was written, and again after it is written anew.
    #[test]
    fn any_state_survives_a_round_trip(
        state in any_state(),
        extra in all_extras(),
        null in any::<bool>(),
        layout in layout(),
    ) {
        let body = Renderer::render(&document(&state, &extra, null), layout);
        let decoded = decode(body.as_bytes()).unwrap();
        prop_assert_eq!(&oracle::unpack(&decoded), &state, "{}", body);
        prop_assert_eq!(decode(oracle::compact(&state).as_bytes()).unwrap(), decoded);
        prop_assert_eq!(oracle::verdict(body.as_bytes()), Verdict::Accept(state));
    }

    /// Every proper prefix of a valid body is an error within the prefix.
    #[test]
    fn every_prefix_is_an_error(
        state in any_state(),
        extra in all_extras(),
        layout in layout(),
    ) {
        let body = Renderer::render(&document(&state, &extra, false), layout);
        let body = body.trim_end();
        for end in 0..body.len() {
            prop_assert!(decode(&body.as_bytes()[..end]).is_err(), "{}", &body[..end]);
        }
        prop_assert!(decode(body.as_bytes()).is_ok());
    }

    /// No bytes make the decoder panic, and it agrees with the oracle on them.
    #[test]
    fn arbitrary_bytes_never_panic(body in vec(any::<u8>(), 0..200)) {
        agree(&body);
    }
}

proptest! {
    #![proptest_config(cases(20_000))]

    /// After one to three changes of bytes in a compact body the decoder agrees with the oracle.
    #[test]
    fn edited_bodies_get_the_verdict_of_the_oracle(
        state in any_state(),
        edits in vec(edit(), 1..=3),
    ) {
        let mut body = oracle::compact(&state).into_bytes();
        for edit in edits {
            apply(&mut body, edit);
        }
        agree(&body);
    }

    /// After changes of bits and structure within the rows alone, which most often leave JSON
    /// valid, the decoder agrees with the oracle.
    #[test]
    fn edited_rows_get_the_verdict_of_the_oracle(
        shots in circuit(8),
        edits in vec((any::<Index>(), any::<Index>(), 0..100_u8), 1..=2),
    ) {
        let tokens = [
            "0", "1", ",", "[", "]", " ", "[]", ",0", ",1", "00", "0.0", "1e0", "-1", "2", "null",
            "\"0\"", "0 ", " 1", "\t,", "],[", "]", "\n", "true", "{}", "", "1,1",
        ];
        let (_, rows) = &shots;
        let mut text: Vec<String> = Vec::new();
        for (shot, row) in rows.iter().enumerate() {
            text.push(if shot > 0 { ",[" } else { "[" }.into());
            for (qubit, &bit) in row.iter().enumerate() {
                if qubit > 0 {
                    text.push(",".into());
                }
                text.push(if bit { "1" } else { "0" }.into());
            }
            text.push("]".into());
        }
        for (place, token, kind) in edits {
            let token = tokens[token.index(tokens.len())].to_owned();
            let at = place.index(text.len() + 1);
            match kind {
                0..70 if at < text.len() => text[at] = token,
                70..85 if at < text.len() => _ = text.remove(at),
                _ => text.insert(at, token),
            }
        }
        let rows = text.concat();
        let body = format!(r#"{{"response":{{"result":{{"0":[{rows}]}},"status":"finished"}}}}"#);
        agree(body.as_bytes());
    }

    /// After one to three changes of the document itself (keys gone, doubled or renamed, values
    /// of other types) the decoder agrees with the oracle, in any layout.
    #[test]
    fn edited_documents_get_the_verdict_of_the_oracle(
        state in any_state(),
        extra in all_extras(),
        edits in vec(response_edit(), 1..=3),
        null in any::<bool>(),
        layout in layout(),
    ) {
        let mut root = document(&state, &extra, null);
        for edit in edits {
            apply_to_tree(&mut root, edit);
        }
        agree(Renderer::render(&root, layout).as_bytes());
    }

    /// Responses of direct access decode to what was written, and not at all with a part missing.
    #[test]
    fn direct_responses_decode_to_what_was_written(
        state in any_state(),
        extra in all_extras(),
        null in any::<bool>(),
        layout in layout(),
        length in any::<Index>(),
    ) {
        let mut state = state;
        if let Some(circuits) = &mut state.samples {
            circuits.truncate(1);
        }
        let body = Renderer::render(&direct_document(&state, &extra, null), layout);
        let decoded = decode_by(response::decode_direct, body.as_bytes()).map_err(|error| {
            TestCaseError::fail(format!("{error:?}: {body}"))
        })?;
        prop_assert_eq!(oracle::unpack(&decoded), state, "{}", body);
        let prefix = &body.as_bytes()[..length.index(body.trim_end().len())];
        let error = decode_by(response::decode_direct, prefix).unwrap_err();
        prop_assert!(error.offset <= prefix.len());
    }

    /// After changes of the document or of its text the decoder for direct access agrees with the
    /// oracle.
    #[test]
    fn edited_direct_responses_get_the_verdict_of_the_oracle(
        state in any_state(),
        extra in all_extras(),
        tree_edits in vec(response_edit(), 0..=2),
        edits in vec(edit(), 0..=2),
        null in any::<bool>(),
        layout in layout(),
    ) {
        let mut root = direct_document(&state, &extra, null);
        for edit in tree_edits {
            apply_to_tree(&mut root, edit);
        }
        let mut body = Renderer::render(&root, layout).into_bytes();
        for edit in edits {
            apply(&mut body, edit);
        }
        agree_on(DIRECT, &body);
    }

    /// Pieces of responses in any order get the verdict of the oracle.
    #[test]
    fn shuffled_pieces_get_the_verdict_of_the_oracle(
        pieces in vec(select(vec![
            "{", "}", "[", "]", ",", ":", "\"response\"", "\"status\"", "\"result\"",
            "\"queued\"", "\"0\"", "0", "1", "null", "-", "1e", " ", "\"\\ud800\"", "\"\\ud83d",
            "\\ude00\"", "\"a\":", "{\"response\":{", "\"status\":\"queued\"", "}}", "\"",
        ]), 0..12),
        whole in any::<bool>(),
    ) {
        let pieces = pieces.concat();
        if whole {
            agree(format!(r#"{{"a":{pieces},"response":{{"status":"queued"}}}}"#).as_bytes());
        } else {
            agree(pieces.as_bytes());
        }
    }

    /// What looks like a number gets the verdict of the oracle, read or ignored.
    #[test]
    fn numbers_get_the_verdict_of_the_oracle(
        number in prop_oneof![
            "[-+.eE019]{1,6}",
            "-?[0-9]{0,2}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?",
            "[0-9]{18,22}",
        ],
        after in select(vec!["", " ", "0", ",\"a\":0"]),
    ) {
        for body in [
            format!(r#"{{"response":{{"status":"ongoing","finished_count":{number}{after}}}}}"#),
            format!(r#"{{"response":{{"status":"queued","x":{number}{after}}}}}"#),
            format!(r#"{{"response":{{"status":"queued"}},"x":[{number}]}}"#),
            format!(r#"{{"response":{{"status":"finished","result":{{"0":[[{number}]]}}}}}}"#),
        ] {
            agree(body.as_bytes());
        }
    }
}

/// Any pair of `\u` escapes, of surrogates most of all, gets the verdict of the oracle.
#[test]
fn surrogates_get_the_verdict_of_the_oracle() {
    let units =
        ["0000", "0041", "d7ff", "d800", "DBFF", "dc00", "DFFF", "e000", "ffff", "d80", "+041"];
    for first in units {
        for second in units {
            for between in ["", "\\", "x"] {
                let message = format!(r"\u{first}{between}\u{second}");
                let body = format!(r#"{{"response":{{"status":"error","message":"{message}"}}}}"#);
                agree(body.as_bytes());
            }
        }
    }
}

/// Nesting is refused from the depth on from which the oracle refuses it, whatever was nested
/// before.
#[test]
fn nesting_gets_the_verdict_of_the_oracle() {
    for depth in 110..140 {
        for [open, close] in [["[", "]"], ["{\"x\":", "}"]] {
            let (inner, outer) = (open.repeat(depth), close.repeat(depth));
            let value = format!("{inner}0{outer}");
            let max = MAX_DEPTH;
            for before in ["0", "{\"x\":[[],[{}]]}", "[[[[]]],[]]"] {
                let body =
                    format!(r#"{{"b":{before},"a":{value},"response":{{"status":"queued"}}}}"#);
                assert_eq!(agree(body.as_bytes()), depth < max);
                let inside = format!(r#""b":{before},"a":{value},"status":"queued""#);
                let body = format!(r#"{{"response":{{"result":{{"0":[[1]]}},{inside}}}}}"#);
                assert_eq!(agree(body.as_bytes()), depth + 1 < max);
            }
        }
    }
}
