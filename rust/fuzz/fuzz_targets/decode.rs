//! Any bytes through the response decoders: no panic, errors within the body, the verdict and the
//! state of the oracle, and the same state again from its compact text.

#![no_main]

use aqt_core::wire::response::{decode, decode_direct};
use libfuzzer_sys::fuzz_target;
use oracle::{Verdict, compact, unpack, verdict, verdict_direct};

#[allow(dead_code, reason = "each target takes what it needs")]
#[path = "../../core/tests/oracle/mod.rs"]
mod oracle;

fuzz_target!(|body: &[u8]| {
    let decoded = decode(body);
    match (verdict(body), &decoded) {
        (Verdict::Accept(expected), Ok(state)) => assert_eq!(unpack(state), expected),
        (Verdict::Accept(_), Err(error)) => panic!("refused a valid body: {error:?}"),
        (Verdict::Reject, Ok(state)) => panic!("accepted an invalid body: {state:?}"),
        (Verdict::Reject, Err(_)) | (Verdict::Unknown, _) => {}
    }
    match (verdict_direct(body), decode_direct(body)) {
        (Verdict::Accept(expected), Ok(state)) => assert_eq!(unpack(&state), expected),
        (Verdict::Accept(_), Err(error)) => panic!("refused a valid body: {error:?}"),
        (Verdict::Reject, Ok(state)) => panic!("accepted an invalid body: {state:?}"),
        (Verdict::Reject | Verdict::Unknown, _) => {}
    }
    match decoded {
        Ok(state) => assert_eq!(decode(compact(&unpack(&state)).as_bytes()), Ok(state)),
        Err(error) => assert!(error.offset <= body.len()),
    }
});
