//! The body of a result response → job state and samples.
//!
//! Body: `{"job":{…},"response":{"status":…,…}}`. White space, key order and further keys are
//! free. A finished job has `result`, an object from circuit indices to arrays of shots; an
//! ongoing one has `finished_count`; a failed one has `message`.

use crate::{
    error::{ResponseError, ResponseErrorKind as Kind},
    json::{Cursor, Result},
    rows,
    samples::Samples,
};

/// Arrays and objects may be nested this deep.
pub const MAX_DEPTH: usize = 127;

/// Where a job stands.
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
    /// Name of the status that the job took on.
    pub new_status: String,
    /// When, as the portal writes it (ISO 8601).
    pub timestamp: String,
}

/// What a response tells about its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobState {
    /// Where the job stands.
    pub status: Status,
    /// Circuits done; always there while ongoing.
    pub finished_count: Option<u64>,
    /// Why the job failed; always there after an error.
    pub message: Option<String>,
    /// Samples in circuit order; always there when finished.
    pub samples: Option<Vec<Samples>>,
    /// Status changes, when the portal was asked for them.
    pub timing: Option<Vec<StatusChange>>,
}

/// Reads the body of a result response.
///
/// # Errors
/// [`ResponseError`] with the byte offset, for a body that is not valid JSON or not of the schema.
pub fn decode(body: &[u8]) -> Result<JobState> {
    let mut cursor = Cursor::new(body);
    let mut state = None;
    cursor.object("an object", |cursor, key, offset| match key {
        "response" => store(&mut state, key, offset, job_state(cursor)?),
        _ => cursor.skip_value(),
    })?;
    cursor.end()?;
    state.ok_or(ResponseError { kind: Kind::MissingKey("response"), offset: 0 })
}

/// Puts a key's value in its place, once.
fn store<T>(place: &mut Option<T>, key: &str, offset: usize, value: T) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(ResponseError { kind: Kind::DuplicateKey(key.to_owned()), offset }),
    }
}

fn job_state(cursor: &mut Cursor<'_>) -> Result<JobState> {
    cursor.peek();
    let start = cursor.position;
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
    let missing = |key| ResponseError { kind: Kind::MissingKey(key), offset: start };
    let state = JobState {
        status: status.ok_or_else(|| missing("status"))?,
        finished_count: finished_count.flatten(),
        message: message.flatten(),
        samples: samples.flatten(),
        timing: timing.flatten(),
    };
    match state.status {
        Status::Ongoing if state.finished_count.is_none() => Err(missing("finished_count")),
        Status::Error if state.message.is_none() => Err(missing("message")),
        Status::Finished if state.samples.is_none() => Err(missing("result")),
        _ => Ok(state),
    }
}

/// What `read` takes, or `None` for a `null`.
fn optional<'a, T>(
    cursor: &mut Cursor<'a>,
    read: impl FnOnce(&mut Cursor<'a>) -> Result<T>,
) -> Result<Option<T>> {
    if cursor.null() { Ok(None) } else { read(cursor).map(Some) }
}

fn text(cursor: &mut Cursor<'_>) -> Result<String> {
    cursor.string("a string").map(std::borrow::Cow::into_owned)
}

fn status(cursor: &mut Cursor<'_>) -> Result<Status> {
    cursor.peek();
    let offset = cursor.position;
    let name = cursor.string("a string")?;
    Status::from_name(&name)
        .ok_or_else(|| ResponseError { kind: Kind::UnknownStatus(name.into_owned()), offset })
}

fn timing_data(cursor: &mut Cursor<'_>) -> Result<Vec<StatusChange>> {
    let mut changes = Vec::new();
    cursor.array("an array", |cursor| {
        cursor.peek();
        let start = cursor.position;
        let (mut new_status, mut timestamp) = (None, None);
        cursor.object("an object", |cursor, key, offset| match key {
            "new_status" => store(&mut new_status, key, offset, text(cursor)?),
            "timestamp" => store(&mut timestamp, key, offset, text(cursor)?),
            _ => cursor.skip_value(),
        })?;
        let missing = |key| ResponseError { kind: Kind::MissingKey(key), offset: start };
        changes.push(StatusChange {
            new_status: new_status.ok_or_else(|| missing("new_status"))?,
            timestamp: timestamp.ok_or_else(|| missing("timestamp"))?,
        });
        Ok(())
    })?;
    Ok(changes)
}

/// The samples of all circuits, in the order of their indices, which must be 0, 1, 2, ….
fn result(cursor: &mut Cursor<'_>) -> Result<Vec<Samples>> {
    cursor.peek();
    let start = cursor.position;
    let mut circuits: Vec<(usize, usize, Samples)> = Vec::new();
    cursor.object("an object", |cursor, key, offset| {
        let index = circuit_index(key).ok_or_else(|| ResponseError {
            kind: Kind::InvalidCircuitIndex(key.to_owned()),
            offset,
        })?;
        let expected_bytes = circuits.last().map_or(0, |(_, _, samples)| samples.rows().len());
        let samples = rows::samples(cursor, index, expected_bytes)?;
        circuits.push((index, offset, samples));
        Ok(())
    })?;
    circuits.sort_by_key(|&(index, offset, _)| (index, offset));
    for (expected, &(index, offset, _)) in circuits.iter().enumerate() {
        if index < expected {
            let kind = Kind::DuplicateKey(index.to_string());
            return Err(ResponseError { kind, offset });
        }
        if index > expected {
            return Err(ResponseError { kind: Kind::MissingCircuit(expected), offset: start });
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
