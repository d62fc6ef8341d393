//! Properties of the response decoder.

mod oracle;

use aqt_core::{JobState, ResponseError, response};
use oracle::{Shots, State, Tree, Verdict, verdict};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};

fn cases(number: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(number) }
}

/// Decodes; an error must lie within the body.
fn decode(body: &[u8]) -> Result<JobState, ResponseError> {
    let decoded = response::decode(body);
    if let Err(error) = &decoded {
        assert!(error.offset <= body.len(), "{error:?} beyond {} bytes", body.len());
    }
    decoded
}

/// Decodes and compares with the oracle; tells whether the body was accepted.
fn agree(body: &[u8]) -> bool {
    let decoded = decode(body);
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

/// Writes trees in many ways: order of keys, white space and escapes come from `random`.
struct Renderer {
    random: u64,
    compact: bool,
    out: String,
}

impl Renderer {
    fn render(tree: &Tree, layout: Layout) -> String {
        let mut renderer =
            Self { random: layout.seed, compact: layout.compact, out: String::new() };
        renderer.gap();
        renderer.value(tree);
        renderer.gap();
        renderer.out
    }

    /// A number below `bound`: splitmix64.
    fn below(&mut self, bound: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((bits >> 33) % bound as u64).unwrap()
    }

    fn gap(&mut self) {
        if !self.compact && self.below(3) == 0 {
            for _ in 0..=self.below(3) {
                let space = [' ', '\n', '\r', '\t'][self.below(4)];
                self.out.push(space);
            }
        }
    }

    fn value(&mut self, tree: &Tree) {
        match tree {
            Tree::Token(token) => self.out.push_str(token),
            Tree::Text(text) => self.text(text),
            Tree::Array(items) => self.list(['[', ']'], items, Self::value),
            Tree::Object(entries) => {
                let mut entries: Vec<_> = entries.iter().collect();
                for last in (1..entries.len()).rev() {
                    let other = self.below(last + 1);
                    entries.swap(last, other);
                }
                self.list(['{', '}'], &entries, |renderer, (key, value)| {
                    renderer.text(key);
                    renderer.gap();
                    renderer.out.push(':');
                    renderer.gap();
                    renderer.value(value);
                });
            }
        }
    }

    fn list<T>(&mut self, brackets: [char; 2], items: &[T], write: impl Fn(&mut Self, &T)) {
        self.out.push(brackets[0]);
        self.gap();
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
                self.gap();
            }
            write(self, item);
            self.gap();
        }
        self.out.push(brackets[1]);
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for char in text.chars() {
            let short = match char {
                '"' | '\\' | '/' => Some(char),
                '\u{8}' => Some('b'),
                '\u{c}' => Some('f'),
                '\n' => Some('n'),
                '\r' => Some('r'),
                '\t' => Some('t'),
                _ => None,
            };
            let must = char < ' ' || char == '"' || char == '\\';
            if !must && self.below(8) > 0 {
                self.out.push(char);
            } else if let Some(short) = short
                && self.below(2) == 0
            {
                self.out.extend(['\\', short]);
            } else {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    let lower = self.below(2) == 0;
                    let hex = if lower { format!("{unit:04x}") } else { format!("{unit:04X}") };
                    self.out.push_str(r"\u");
                    self.out.push_str(&hex);
                }
            }
        }
        self.out.push('"');
    }
}

/// How a tree is to be written.
#[derive(Clone, Copy, Debug)]
struct Layout {
    seed: u64,
    compact: bool,
}

fn layout() -> impl Strategy<Value = Layout> {
    (any::<u64>(), any::<bool>()).prop_map(|(seed, compact)| Layout { seed, compact })
}

fn text() -> impl Strategy<Value = String> {
    let char = prop_oneof![
        4 => prop::char::range('a', 'z'),
        2 => select(vec!['"', '\\', '/', '\u{8}', '\u{c}', '\n', '\r', '\t', '\0', '\u{7f}', '😀']),
        2 => any::<char>(),
    ];
    vec(char, 0..8).prop_map(|chars| chars.into_iter().collect())
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof!["0", "[1-9][0-9]{0,20}", "-?[0-9](\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,12})?"]
}

/// Any JSON value.
fn junk() -> impl Strategy<Value = Tree> {
    let word = select(vec!["null", "true", "false"]).prop_map(|word| Tree::Token(word.into()));
    let leaf = prop_oneof![word, number().prop_map(Tree::Token), text().prop_map(Tree::Text)];
    leaf.prop_recursive(3, 10, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Tree::Array),
            vec((text(), inner), 0..4).prop_map(Tree::Object)
        ]
    })
}

/// Entries that mean nothing in an object with the given keys.
fn extras(keys: &'static [&'static str]) -> impl Strategy<Value = Vec<(String, Tree)>> {
    let near = select(keys).prop_map(|key| format!("{key}s"));
    let other = select(vec!["job", "status", "response", "result", "0", "message"]);
    let key = prop_oneof![text(), near, other.prop_map(String::from)]
        .prop_map(|key| if keys.contains(&key.as_str()) { key + "\u{0}" } else { key });
    vec((key, junk()), 0..3)
}

const ROOT_KEYS: &[&str] = &["response"];
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

fn object<const N: usize>(entries: [(&str, Tree); N]) -> Vec<(String, Tree)> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
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

fn all_extras() -> impl Strategy<Value = [Vec<(String, Tree)>; 3]> {
    (extras(ROOT_KEYS), extras(RESPONSE_KEYS), extras(CHANGE_KEYS)).prop_map(<[_; 3]>::from)
}

/// A change to a body; 0 to 99 chooses what is changed.
type Edit = (u8, Index, u8);

fn edit() -> impl Strategy<Value = Edit> {
    let byte = prop_oneof![
        4 => select(b"01".to_vec()),
        4 => select(b"0123456789,[]{}\":\\ \n.-+eEunatl\x00\x1f".to_vec()),
        1 => any::<u8>(),
    ];
    (0..100_u8, any::<Index>(), byte)
}

fn apply(body: &mut Vec<u8>, (kind, place, byte): Edit) {
    let inside = |length: usize| place.index(length.max(1));
    match kind {
        0..45 if !body.is_empty() => {
            let place = inside(body.len());
            body[place] = byte;
        }
        45..75 => body.insert(inside(body.len() + 1), byte),
        75..97 if !body.is_empty() => _ = body.remove(inside(body.len())),
        _ => body.truncate(inside(body.len() + 1)),
    }
}

/// The `index`-th of the wanted nodes of a tree, counted from the root down.
fn node<'a>(
    tree: &'a mut Tree,
    wanted: fn(&Tree) -> bool,
    index: &mut usize,
) -> Option<&'a mut Tree> {
    if wanted(tree) {
        if *index == 0 {
            return Some(tree);
        }
        *index -= 1;
    }
    match tree {
        Tree::Array(items) => items.iter_mut().find_map(|item| node(item, wanted, index)),
        Tree::Object(entries) => {
            entries.iter_mut().find_map(|(_, value)| node(value, wanted, index))
        }
        Tree::Token(_) | Tree::Text(_) => None,
    }
}

/// The number of wanted nodes of a tree.
fn number_of(tree: &Tree, wanted: fn(&Tree) -> bool) -> usize {
    let below: usize = match tree {
        Tree::Array(items) => items.iter().map(|item| number_of(item, wanted)).sum(),
        Tree::Object(entries) => entries.iter().map(|(_, value)| number_of(value, wanted)).sum(),
        Tree::Token(_) | Tree::Text(_) => 0,
    };
    below + usize::from(wanted(tree))
}

/// A change to a tree: the kind, where, what with.
type TreeEdit = (u8, Index, Index, String, Tree);

fn tree_edit() -> impl Strategy<Value = TreeEdit> {
    let keys = [ROOT_KEYS, RESPONSE_KEYS, CHANGE_KEYS, &["0", "1", "2", "00", "-1", "x", ""]];
    let (key, place) = (select(keys.concat()).prop_map(String::from), any::<Index>());
    let numbers = vec!["0", "1", "00", "1.0", "-0", "18446744073709551615", "18446744073709551616"];
    let number = prop_oneof![number(), select(numbers).prop_map(String::from)];
    let names = vec!["queued", "finished", "ongoing", "done", ""];
    let value = prop_oneof![
        junk(),
        number.prop_map(Tree::Token),
        select(names).prop_map(|name| Tree::Text(name.into())),
        Just(Tree::Token("null".into())),
        Just(Tree::Array(vec![])),
        Just(Tree::Object(vec![])),
    ];
    (0..10_u8, any::<Index>(), place, key, value)
}

fn apply_to_tree(root: &mut Tree, (kind, index, place, key, value): TreeEdit) {
    let wanted: fn(&Tree) -> bool = match kind {
        0..6 => |tree| matches!(tree, Tree::Object(_)),
        6..9 => |tree| matches!(tree, Tree::Array(_)),
        _ => |_| true,
    };
    let number = number_of(root, wanted);
    if number == 0 {
        return;
    }
    let node = node(root, wanted, &mut index.index(number)).unwrap();
    match node {
        Tree::Object(entries) if kind < 9 => {
            let at = place.index(entries.len().max(1));
            match kind {
                0 if !entries.is_empty() => _ = entries.remove(at),
                1 if !entries.is_empty() => entries.push(entries[at].clone()),
                2 if !entries.is_empty() => entries[at].0 = key,
                3 | 4 if !entries.is_empty() => entries[at].1 = value,
                _ => entries.push((key, value)),
            }
        }
        Tree::Array(items) if kind < 9 => {
            let at = place.index(items.len().max(1));
            match kind {
                6 if !items.is_empty() => _ = items.remove(at),
                7 if !items.is_empty() => items.push(items[at].clone()),
                8 if !items.is_empty() => items[at] = value,
                _ => items.push(value),
            }
        }
        _ => *node = value,
    }
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
        prop_assert_eq!(verdict(body.as_bytes()), Verdict::Accept(state));
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
        edits in vec(tree_edit(), 1..=3),
        null in any::<bool>(),
        layout in layout(),
    ) {
        let mut root = document(&state, &extra, null);
        for edit in edits {
            apply_to_tree(&mut root, edit);
        }
        agree(Renderer::render(&root, layout).as_bytes());
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
            let max = response::MAX_DEPTH;
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
