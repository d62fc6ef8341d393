//! Slow and obvious decoders to hold the fast ones against.
//!
//! `serde_json` says whether a body is valid JSON. A valid one is read a second time, into a tree
//! that keeps duplicate keys and the text of numbers, and the schema is checked on that tree.

pub mod request;

use std::fmt::Write;

use aqt_core::{JobState, Samples};
use serde_json::Value;

/// A JSON value with nothing lost but layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// `null`, `true`, `false` or a number, as it is written.
    Token(String),
    /// A string with its escapes resolved.
    Text(String),
    /// Items in order.
    Array(Vec<Tree>),
    /// Keys and values in order, duplicates included.
    Object(Vec<(String, Tree)>),
}

/// A circuit's number of qubits and its shots.
pub type Shots = (usize, Vec<Vec<bool>>);

/// What [`JobState`] tells, in plain types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Name of the status.
    pub status: String,
    /// See [`JobState::finished_count`].
    pub finished_count: Option<u64>,
    /// See [`JobState::message`].
    pub message: Option<String>,
    /// See [`JobState::samples`].
    pub samples: Option<Vec<Shots>>,
    /// See [`JobState::timing`]: new status and time stamp.
    pub timing: Option<Vec<(String, String)>>,
}

/// What the oracle thinks of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// It is valid and says this.
    Accept(T),
    /// It is invalid.
    Reject,
    /// It may hold the key by which `serde_json` marks its own numbers, and mislead it.
    Unknown,
}

/// Judges a response body of the cloud.
pub fn verdict(body: &[u8]) -> Verdict<State> {
    judge(body, |root| {
        let state = state(root, "response", result)?;
        let complete = match state.status.as_str() {
            "ongoing" => state.finished_count.is_some(),
            "error" => state.message.is_some(),
            _ => true,
        };
        if complete { Ok(state) } else { Err(Invalid) }
    })
}

/// Judges a response body of direct access.
pub fn verdict_direct(body: &[u8]) -> Verdict<State> {
    judge(body, |root| state(root, "payload", |shots| Ok(vec![circuit(shots)?])))
}

/// Judges a body by what `read` makes of its tree.
fn judge<T>(body: &[u8], read: impl Fn(&Tree) -> Result<T, Invalid>) -> Verdict<T> {
    let private = b"$serde_json";
    if body.windows(private.len()).any(|window| window == private) {
        return Verdict::Unknown;
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Verdict::Reject;
    };
    let tree = Reader { text: body, at: 0 }.value();
    assert_eq!(to_value(&tree), value, "the oracle misreads its body");
    read(&tree).map_or(Verdict::Reject, Verdict::Accept)
}

/// Unpacks a decoded state.
pub fn unpack(state: &JobState) -> State {
    State {
        status: state.status.name().to_owned(),
        finished_count: state.finished_count,
        message: state.message.clone(),
        samples: state.samples.as_ref().map(|circuits| circuits.iter().map(shots).collect()),
        timing: state.timing.as_ref().map(|changes| {
            let pair = |change: &aqt_core::StatusChange| {
                (change.new_status.clone(), change.timestamp.clone())
            };
            changes.iter().map(pair).collect()
        }),
    }
}

/// Unpacks samples bit by bit.
pub fn shots(samples: &Samples) -> Shots {
    let (num_shots, width) = (samples.num_shots(), samples.num_qubits());
    let packed = samples.rows().to_vec();
    assert_eq!(Samples::new(num_shots, width, packed).as_ref(), Some(samples), "invalid rows");
    let row = |shot| (0..width).map(|qubit| samples.get(shot, qubit)).collect();
    (width, (0..num_shots).map(row).collect())
}

/// Writes a state as a response body in compact layout.
pub fn compact(state: &State) -> String {
    let text = |text: &str| Value::from(text).to_string();
    let mut body = format!(r#"{{"response":{{"status":{}"#, text(&state.status));
    if let Some(count) = state.finished_count {
        write!(body, r#","finished_count":{count}"#).unwrap();
    }
    if let Some(message) = &state.message {
        write!(body, r#","message":{}"#, text(message)).unwrap();
    }
    if let Some(circuits) = &state.samples {
        let bit = |&bit: &bool| String::from(if bit { "1" } else { "0" });
        let row = |row: &Vec<bool>| joined("[", row.iter().map(bit), "]");
        let circuits = circuits.iter().enumerate().map(|(index, (_, rows))| {
            joined(&format!(r#""{index}":["#), rows.iter().map(row), "]")
        });
        write!(body, r#","result":{}"#, joined("{", circuits, "}")).unwrap();
    }
    if let Some(changes) = &state.timing {
        let change = |(new_status, timestamp): &(String, String)| {
            format!(r#"{{"new_status":{},"timestamp":{}}}"#, text(new_status), text(timestamp))
        };
        write!(body, r#","timing_data":{}"#, joined("[", changes.iter().map(change), "]")).unwrap();
    }
    body + "}}"
}

fn joined(open: &str, items: impl Iterator<Item = String>, close: &str) -> String {
    format!("{open}{}{close}", items.collect::<Vec<_>>().join(","))
}

/// Reads JSON that is known to be valid.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> u8 {
        while self.text[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        self.text[self.at]
    }

    fn value(&mut self) -> Tree {
        match self.next() {
            b'[' => Tree::Array(self.list(b']', Self::value)),
            b'{' => Tree::Object(self.list(b'}', |reader| {
                reader.next();
                let key = reader.string();
                assert_eq!(reader.next(), b':');
                reader.at += 1;
                (key, reader.value())
            })),
            b'"' => Tree::Text(self.string()),
            _ => {
                let rest = &self.text[self.at..];
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b",]}".contains(byte);
                let end = rest.iter().position(ends).unwrap_or(rest.len());
                self.at += end;
                Tree::Token(String::from_utf8(rest[..end].to_vec()).unwrap())
            }
        }
    }

    fn list<T>(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            match self.next() {
                b',' => self.at += 1,
                byte if byte == close => break,
                _ => items.push(item(self)),
            }
        }
        self.at += 1;
        items
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while self.text[self.at] != b'"' {
            self.at += if self.text[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        serde_json::from_slice(&self.text[start..self.at]).unwrap()
    }
}

/// The value as `serde_json` has it, where the last of equal keys wins.
fn to_value(tree: &Tree) -> Value {
    match tree {
        Tree::Token(token) => serde_json::from_str(token).unwrap(),
        Tree::Text(text) => Value::from(text.as_str()),
        Tree::Array(items) => items.iter().map(to_value).collect(),
        Tree::Object(entries) => {
            entries.iter().map(|(key, value)| (key.clone(), to_value(value))).collect()
        }
    }
}

/// No value of the kind that the schema has in its place.
struct Invalid;

fn state(
    root: &Tree,
    key: &str,
    result: impl Fn(&Tree) -> Result<Vec<Shots>, Invalid>,
) -> Result<State, Invalid> {
    let response = one(root, key)?.ok_or(Invalid)?;
    let state = State {
        status: required(response, "status", text)?,
        finished_count: optional(response, "finished_count", count)?,
        message: optional(response, "message", text)?,
        samples: optional(response, "result", result)?,
        timing: optional(response, "timing_data", timing)?,
    };
    match state.status.as_str() {
        "queued" | "ongoing" | "error" | "cancelled" => Ok(state),
        "finished" if state.samples.is_some() => Ok(state),
        _ => Err(Invalid),
    }
}

/// The value of a key of an object, if any; more than one is invalid.
fn one<'a>(object: &'a Tree, key: &str) -> Result<Option<&'a Tree>, Invalid> {
    let Tree::Object(entries) = object else {
        return Err(Invalid);
    };
    let values: Vec<_> = entries.iter().filter(|entry| entry.0 == key).collect();
    match values[..] {
        [] => Ok(None),
        [(_, value)] => Ok(Some(value)),
        _ => Err(Invalid),
    }
}

fn required<T>(
    object: &Tree,
    key: &str,
    read: impl Fn(&Tree) -> Result<T, Invalid>,
) -> Result<T, Invalid> {
    read(one(object, key)?.ok_or(Invalid)?)
}

/// A value that may be missing or null.
fn optional<T>(
    object: &Tree,
    key: &str,
    read: impl Fn(&Tree) -> Result<T, Invalid>,
) -> Result<Option<T>, Invalid> {
    match one(object, key)? {
        None => Ok(None),
        Some(Tree::Token(token)) if token == "null" => Ok(None),
        Some(value) => read(value).map(Some),
    }
}

fn text(value: &Tree) -> Result<String, Invalid> {
    if let Tree::Text(text) = value { Ok(text.clone()) } else { Err(Invalid) }
}

fn array(value: &Tree) -> Result<&[Tree], Invalid> {
    if let Tree::Array(items) = value { Ok(items) } else { Err(Invalid) }
}

fn count(value: &Tree) -> Result<u64, Invalid> {
    match value {
        Tree::Token(token) => token.parse().map_err(|_| Invalid),
        _ => Err(Invalid),
    }
}

fn timing(value: &Tree) -> Result<Vec<(String, String)>, Invalid> {
    let change =
        |entry| Ok((required(entry, "new_status", text)?, required(entry, "timestamp", text)?));
    array(value)?.iter().map(change).collect()
}

fn result(value: &Tree) -> Result<Vec<Shots>, Invalid> {
    let Tree::Object(entries) = value else {
        return Err(Invalid);
    };
    // As many keys as indices, and each index is there once: no room for any other key.
    (0..entries.len()).map(|index| required(value, &index.to_string(), circuit)).collect()
}

fn circuit(value: &Tree) -> Result<Shots, Invalid> {
    let bit = |sample: &Tree| match sample {
        Tree::Token(token) if token == "0" => Ok(false),
        Tree::Token(token) if token == "1" => Ok(true),
        _ => Err(Invalid),
    };
    let row = |row| array(row)?.iter().map(bit).collect::<Result<Vec<_>, _>>();
    let rows = array(value)?.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    let width = rows.first().map_or(0, Vec::len);
    if rows.iter().all(|row| row.len() == width) { Ok((width, rows)) } else { Err(Invalid) }
}
