//! Properties of the response decoder.

mod documents;
#[allow(dead_code, reason = "each test takes what it needs")]
mod oracle;
mod states;

use aqt_core::{
    BodyError, JobState,
    wire::{MAX_DEPTH, response},
};
use documents::{Renderer, apply, apply_to_tree, cases, edit, layout};
use oracle::{State, Verdict};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};
use states::{all_extras, any_state, circuit, direct_document, document, finished, response_edit};

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
