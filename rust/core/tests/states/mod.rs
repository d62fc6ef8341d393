//! Job states, the documents for them and changes to those.

use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    documents::{TreeEdit, junk, object, text, tree_edit},
    oracle::{Shots, State, Tree},
};

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
pub fn circuit(max_shots: usize) -> impl Strategy<Value = Shots> {
    let width = prop_oneof![3 => 1..=33_usize, 1 => 0..=70_usize];
    (width, vec(any::<u128>(), 0..=max_shots)).prop_map(|(width, rows)| {
        let row = |bits: u128| (0..width).map(|qubit| bits >> qubit & 1 == 1).collect();
        // Without a shot no width shows.
        (if rows.is_empty() { 0 } else { width }, rows.into_iter().map(row).collect())
    })
}

pub fn finished(max_circuits: usize, max_shots: usize) -> impl Strategy<Value = State> {
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
pub fn any_state() -> impl Strategy<Value = State> {
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
pub fn document(state: &State, extra: &[Vec<(String, Tree)>; 3], null: bool) -> Tree {
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
pub fn direct_document(state: &State, extra: &[Vec<(String, Tree)>; 3], null: bool) -> Tree {
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
pub fn response_edit() -> impl Strategy<Value = TreeEdit> {
    let keys = [ROOT_KEYS, RESPONSE_KEYS, CHANGE_KEYS, &["0", "1", "2", "00", "-1", "x", ""]];
    tree_edit(keys.concat(), vec!["queued", "finished", "ongoing", "error", "done", ""])
}

pub fn all_extras() -> impl Strategy<Value = [Vec<(String, Tree)>; 3]> {
    (extras(ROOT_KEYS), extras(RESPONSE_KEYS), extras(CHANGE_KEYS)).prop_map(<[_; 3]>::from)
}
