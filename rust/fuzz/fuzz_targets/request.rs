//! Any bytes through the request reader: no panic, errors within the body, the verdict and the job
//! of the oracle, and for a valid one made-up samples that are valid JSON.

#![no_main]

use aqt_core::wire::{fake_device, request::read};
use libfuzzer_sys::fuzz_target;
use oracle::{
    Verdict,
    request::{unpack, verdict},
};

#[allow(dead_code, reason = "each target takes what it needs")]
#[path = "../../core/tests/oracle/mod.rs"]
mod oracle;

fuzz_target!(|body: &[u8]| {
    match (verdict(body), read(body)) {
        (Verdict::Accept(expected), Ok(job)) => {
            assert_eq!(unpack(&job), expected);
            let shots: usize = job.circuits().iter().map(|(shots, _)| *shots as usize).sum();
            if shots < 100 {
                let text = fake_device::result(&job, 0);
                let result: serde_json::Value = serde_json::from_slice(&text).unwrap();
                assert_eq!(result.as_object().unwrap().len(), job.circuits().len());
            }
        }
        (Verdict::Accept(_), Err(error)) => panic!("refused a valid body: {error:?}"),
        (Verdict::Reject, Ok(job)) => panic!("accepted an invalid body: {job:?}"),
        (_, Err(error)) => assert!(error.offset <= body.len()),
        (Verdict::Unknown, Ok(_)) => {}
    }
});
