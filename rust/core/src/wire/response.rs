//! The body of a result response → job state and samples.
//!
//! The cloud sends `{"job":{…},"response":{"status":…,…}}`. A finished job has `result`, an object
//! from circuit indices to arrays of shots; an ongoing job has `finished_count`; a failed job has
//! `message`. Direct access sends `{"job_id":…,"payload":{"status":…,…}}` for its one circuit:
//! `result` is an array of shots, `finished_count` and `message` are optional. Both may have any
//! white space, key order and further keys.

use super::{
    json::{Cursor, Result, optional, store, text},
    shots,
};
use crate::{
    error::{BodyError, BodyErrorKind as Kind},
    outcomes::Samples,
};

/// The status of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waiting for the device.
    Queued,
    /// On the device.
    Ongoing,
    /// All circuits were measured.
    Finished,
    /// The job failed.
    Error,
    /// The job was cancelled.
    Cancelled,
}

impl Status {
    /// The status with this name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "queued" => Self::Queued,
            "ongoing" => Self::Ongoing,
            "finished" => Self::Finished,
            "error" => Self::Error,
            "cancelled" => Self::Cancelled,
            _ => return None,
        })
    }

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ongoing => "ongoing",
            Self::Finished => "finished",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An entry of `timing_data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// Name of the new status.
    pub new_status: String,
    /// When, as the portal writes it (ISO 8601).
    pub timestamp: String,
}

/// The state of a job according to a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobState {
    /// The status.
    pub status: Status,
    /// Number of finished circuits; present while a cloud job is ongoing.
    pub finished_count: Option<u64>,
    /// Why the job failed; present after an error of a cloud job.
    pub message: Option<String>,
    /// Samples in circuit order; present when finished.
    pub samples: Option<Vec<Samples>>,
    /// Status changes, present if the request asked for them.
    pub timing: Option<Vec<StatusChange>>,
    /// The identifier of the job or run, if present.
    pub job_id: Option<String>,
    /// The label of the job, if present.
    pub label: Option<String>,
}

/// The interface that the response comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interface {
    Cloud,
    Direct,
}

/// Reads the body of a result response of the cloud.
///
/// # Errors
/// [`BodyError`] with the byte offset, for a body that is not valid JSON or not of the schema.
pub fn decode(body: &[u8]) -> Result<JobState> {
    decode_within(body, "response", Interface::Cloud)
}

/// Reads the body of a result response of direct access; when finished, it has one circuit.
///
/// # Errors
/// As [`decode`].
pub fn decode_direct(body: &[u8]) -> Result<JobState> {
    decode_within(body, "payload", Interface::Direct)
}

fn decode_within(body: &[u8], state_key: &'static str, interface: Interface) -> Result<JobState> {
    let mut cursor = Cursor::new(body);
    let (mut state, mut job_id, mut label) = (None, None, None);
    cursor.object("an object", |cursor, key, offset| {
        if key == state_key {
            return store(&mut state, key, offset, job_state(cursor, interface)?);
        }
        match (key, interface) {
            ("job_id", Interface::Direct) => job_id = text_or_nothing(cursor)?,
            ("job", Interface::Cloud) if cursor.peek() == Some(b'{') => {
                cursor.object("an object", |cursor, key, _| {
                    match key {
                        "job_id" => job_id = text_or_nothing(cursor)?,
                        "label" => label = text_or_nothing(cursor)?,
                        _ => cursor.skip_value()?,
                    }
                    Ok(())
                })?;
            }
            _ => cursor.skip_value()?,
        }
        Ok(())
    })?;
    cursor.end()?;
    let state = state.ok_or(BodyError { kind: Kind::MissingKey(state_key), offset: 0 })?;
    Ok(JobState { job_id, label, ..state })
}

/// A string, or None for a value of another type.
fn text_or_nothing(cursor: &mut Cursor<'_>) -> Result<Option<String>> {
    if cursor.peek() == Some(b'"') {
        return text(cursor).map(Some);
    }
    cursor.skip_value().map(|()| None)
}

fn job_state(cursor: &mut Cursor<'_>, interface: Interface) -> Result<JobState> {
    let start = cursor.here();
    let result = match interface {
        Interface::Cloud => result,
        Interface::Direct => only_result,
    };
    let (mut status, mut finished_count, mut message) = (None, None, None);
    let (mut samples, mut timing) = (None, None);
    cursor.object("an object", |cursor, key, offset| match key {
        "status" => store(&mut status, key, offset, self::status(cursor)?),
        "finished_count" => {
            store(&mut finished_count, key, offset, optional(cursor, Cursor::unsigned)?)
        }
        "message" => store(&mut message, key, offset, optional(cursor, text)?),
        "result" => store(&mut samples, key, offset, optional(cursor, result)?),
        "timing_data" => store(&mut timing, key, offset, optional(cursor, timing_data)?),
        _ => cursor.skip_value(),
    })?;
    let missing = |key| BodyError { kind: Kind::MissingKey(key), offset: start };
    let state = JobState {
        status: status.ok_or_else(|| missing("status"))?,
        finished_count: finished_count.flatten(),
        message: message.flatten(),
        samples: samples.flatten(),
        timing: timing.flatten(),
        job_id: None,
        label: None,
    };
    let cloud = interface == Interface::Cloud;
    match state.status {
        Status::Ongoing if cloud && state.finished_count.is_none() => {
            Err(missing("finished_count"))
        }
        Status::Error if cloud && state.message.is_none() => Err(missing("message")),
        Status::Finished if state.samples.is_none() => Err(missing("result")),
        _ => Ok(state),
    }
}

fn status(cursor: &mut Cursor<'_>) -> Result<Status> {
    let offset = cursor.here();
    let name = cursor.string("a string")?;
    Status::from_name(&name)
        .ok_or_else(|| BodyError { kind: Kind::UnknownStatus(name.into_owned()), offset })
}

fn timing_data(cursor: &mut Cursor<'_>) -> Result<Vec<StatusChange>> {
    let mut changes = Vec::new();
    cursor.array("an array", |cursor| {
        let start = cursor.here();
        let (mut new_status, mut timestamp) = (None, None);
        cursor.object("an object", |cursor, key, offset| match key {
            "new_status" => store(&mut new_status, key, offset, text(cursor)?),
            "timestamp" => store(&mut timestamp, key, offset, text(cursor)?),
            _ => cursor.skip_value(),
        })?;
        let missing = |key| BodyError { kind: Kind::MissingKey(key), offset: start };
        changes.push(StatusChange {
            new_status: new_status.ok_or_else(|| missing("new_status"))?,
            timestamp: timestamp.ok_or_else(|| missing("timestamp"))?,
        });
        Ok(())
    })?;
    Ok(changes)
}

/// The samples of the one circuit that direct access takes.
fn only_result(cursor: &mut Cursor<'_>) -> Result<Vec<Samples>> {
    Ok(vec![shots::samples(cursor, 0, 0)?])
}

/// The samples of all circuits, in the order of their indices, which must be 0, 1, 2, ….
fn result(cursor: &mut Cursor<'_>) -> Result<Vec<Samples>> {
    let start = cursor.here();
    let mut circuits: Vec<(usize, usize, Samples)> = Vec::new();
    cursor.object("an object", |cursor, key, offset| {
        let index = circuit_index(key)
            .ok_or_else(|| BodyError { kind: Kind::InvalidCircuitIndex(key.to_owned()), offset })?;
        let expected_bytes = circuits.last().map_or(0, |(_, _, samples)| samples.rows().len());
        let samples = shots::samples(cursor, index, expected_bytes)?;
        circuits.push((index, offset, samples));
        Ok(())
    })?;
    circuits.sort_by_key(|&(index, offset, _)| (index, offset));
    for (expected, &(index, offset, _)) in circuits.iter().enumerate() {
        if index < expected {
            let kind = Kind::DuplicateKey(index.to_string());
            return Err(BodyError { kind, offset });
        }
        if index > expected {
            return Err(BodyError { kind: Kind::MissingCircuit(expected), offset: start });
        }
    }
    Ok(circuits.into_iter().map(|(_, _, samples)| samples).collect())
}

/// A circuit index: decimal digits without leading zeros.
fn circuit_index(key: &str) -> Option<usize> {
    let plain = key == "0"
        || matches!(key.as_bytes(), [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit));
    if plain { key.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::json::MAX_DEPTH;

    fn fails(body: &str) -> (Kind, usize) {
        let error = decode(body.as_bytes()).unwrap_err();
        (error.kind, error.offset)
    }

    #[test]
    fn finished_in_any_layout() {
        let compact =
            br#"{"job":{},"response":{"status":"finished","result":{"0":[[0,1]],"1":[[1,1]]}}}"#;
        let spread = "{ \"response\" : {\n\t\"res\\u0075lt\": {\"1\": [ [1 , 1 ] ], \"0\": [[0,1]]},\r\n \"extra\": [1.5e3, {\"x\": \"\\ud83d\\ude00\"}], \"message\": null, \"status\": \"finished\" }, \"job\": {} } ";
        let state = decode(compact).unwrap();
        assert_eq!(state, decode(spread.as_bytes()).unwrap());
        assert_eq!(state.status, Status::Finished);
        let samples = state.samples.unwrap();
        assert_eq!((samples[0].rows(), samples[1].rows()), (&[2][..], &[3][..]));
    }

    #[test]
    fn other_states() {
        let state = decode(br#"{"response":{"status":"ongoing","finished_count":7,"timing_data":[{"new_status":"queued","timestamp":"2026-11-22T10:00:00Z"}]}}"#).unwrap();
        assert_eq!((state.status, state.finished_count), (Status::Ongoing, Some(7)));
        assert_eq!(state.timing.unwrap()[0].new_status, "queued");
        let state =
            decode(br#"{"response":{"status":"error","message":"ion lost \u00e9"}}"#).unwrap();
        assert_eq!(state.message.as_deref(), Some("ion lost é"));
        for (name, status) in [("queued", Status::Queued), ("cancelled", Status::Cancelled)] {
            let body = format!(r#"{{"response":{{"status":"{name}"}}}}"#);
            assert_eq!(decode(body.as_bytes()).unwrap().status, status);
            assert_eq!(status.name(), name);
        }
    }

    #[test]
    fn schema_errors_have_kind_and_offset() {
        assert_eq!(fails("{}"), (Kind::MissingKey("response"), 0));
        assert_eq!(fails(r#"{"response":{}}"#), (Kind::MissingKey("status"), 12));
        assert_eq!(
            fails(r#"{"response":{"status":"done"}}"#),
            (Kind::UnknownStatus("done".into()), 22)
        );
        assert_eq!(
            fails(r#"{"response":{"status":"finished"}}"#),
            (Kind::MissingKey("result"), 12)
        );
        assert_eq!(
            fails(r#"{"response":{"status":"ongoing"}}"#),
            (Kind::MissingKey("finished_count"), 12)
        );
        assert_eq!(fails(r#"{"response":{"status":"error"}}"#), (Kind::MissingKey("message"), 12));
        assert_eq!(
            fails(r#"{"response":{"status":"queued","status":"queued"}}"#),
            (Kind::DuplicateKey("status".into()), 31)
        );
        assert_eq!(
            fails(r#"{"response":{"result":{"0":[],"0":[]},"status":"finished"}}"#),
            (Kind::DuplicateKey("0".into()), 30)
        );
        assert_eq!(
            fails(r#"{"response":{"result":{"1":[]},"status":"finished"}}"#),
            (Kind::MissingCircuit(0), 22)
        );
        for index in ["", "-1", "01", "x", "+1", "1.0", "99999999999999999999999"] {
            let body =
                format!(r#"{{"response":{{"result":{{"{index}":[]}},"status":"finished"}}}}"#);
            assert_eq!(fails(&body), (Kind::InvalidCircuitIndex(index.into()), 23));
        }
        for number in ["-1", "1.5", "1e2", "99999999999999999999999"] {
            let body =
                format!(r#"{{"response":{{"status":"ongoing","finished_count":{number}}}}}"#);
            assert_eq!(fails(&body), (Kind::NumberOutOfRange, 49));
        }
        assert_eq!(fails(r#"{"response":{"status":"queued"}} {"#), (Kind::TrailingData, 33));
    }

    #[test]
    fn direct_access_has_one_circuit_and_no_need_for_a_message() {
        let decode = |body: &str| decode_direct(body.as_bytes());
        let state =
            decode(r#"{"job_id":"x","payload":{"result":[[0,1],[1,1]],"status":"finished"}}"#)
                .unwrap();
        assert_eq!(state.status, Status::Finished);
        let samples = state.samples.unwrap();
        assert_eq!((samples.len(), samples[0].rows()), (1, &[2, 3][..]));
        let state = decode(r#"{"payload":{"status":"error"}}"#).unwrap();
        assert_eq!((state.status, state.message), (Status::Error, None));
        let state = decode(r#"{"payload":{"status":"error","message":"hot"}}"#).unwrap();
        assert_eq!(state.message.as_deref(), Some("hot"));
        assert_eq!(decode(r#"{"payload":{"status":"ongoing"}}"#).unwrap().finished_count, None);
        for (body, kind, offset) in [
            (r#"{"response":{"status":"error"}}"#, Kind::MissingKey("payload"), 0),
            (r#"{"payload":{"status":"finished"}}"#, Kind::MissingKey("result"), 11),
            (r#"{"payload":{"result":{"0":[]}}}"#, Kind::Expected("an array of shots"), 21),
            (
                r#"{"payload":{"result":[[0],[2]]}}"#,
                Kind::NotABit { circuit: 0, shot: 1, qubit: 0 },
                27,
            ),
        ] {
            assert_eq!(decode(body).unwrap_err(), BodyError { kind, offset });
        }
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth: usize| {
            let body = format!(
                r#"{{"x":{}{},"response":{{"status":"queued"}}}}"#,
                "[".repeat(depth - 1),
                "]".repeat(depth - 1)
            );
            decode(body.as_bytes())
        };
        assert!(nested(MAX_DEPTH).is_ok());
        assert_eq!(nested(MAX_DEPTH + 1).unwrap_err().kind, Kind::TooDeep);
        assert_eq!(
            decode("[".repeat(1_000_000).as_bytes()).unwrap_err().kind,
            Kind::Expected("an object")
        );
    }
}
