//! Documents as trees: any layout for them, any change to them and to their text.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};

use crate::oracle::Tree;

/// As many cases, none of them kept for the next time.
pub fn cases(number: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(number) }
}

/// Entries of an object.
pub fn object<const N: usize>(entries: [(&str, Tree); N]) -> Vec<(String, Tree)> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Writes trees in many ways: order of keys, white space and escapes come from `random`.
pub struct Renderer {
    random: u64,
    compact: bool,
    out: String,
}

impl Renderer {
    /// The text of a tree.
    pub fn render(tree: &Tree, layout: Layout) -> String {
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
pub struct Layout {
    /// Where key order, white space and escapes come from.
    pub seed: u64,
    /// Without white space.
    pub compact: bool,
}

/// Any layout.
pub fn layout() -> impl Strategy<Value = Layout> {
    (any::<u64>(), any::<bool>()).prop_map(|(seed, compact)| Layout { seed, compact })
}

/// Short texts, with what JSON must escape more often than by chance.
pub fn text() -> impl Strategy<Value = String> {
    let char = prop_oneof![
        4 => prop::char::range('a', 'z'),
        2 => select(vec!['"', '\\', '/', '\u{8}', '\u{c}', '\n', '\r', '\t', '\0', '\u{7f}', '😀']),
        2 => any::<char>(),
    ];
    vec(char, 0..8).prop_map(|chars| chars.into_iter().collect())
}

/// The text of any number.
pub fn number() -> impl Strategy<Value = String> {
    prop_oneof!["0", "[1-9][0-9]{0,20}", "-?[0-9](\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,12})?"]
}

/// Any JSON value.
pub fn junk() -> impl Strategy<Value = Tree> {
    let word = select(vec!["null", "true", "false"]).prop_map(|word| Tree::Token(word.into()));
    let leaf = prop_oneof![word, number().prop_map(Tree::Token), text().prop_map(Tree::Text)];
    leaf.prop_recursive(3, 10, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Tree::Array),
            vec((text(), inner), 0..4).prop_map(Tree::Object)
        ]
    })
}

/// A change to a body; 0 to 99 chooses what is changed.
pub type Edit = (u8, Index, u8);

/// Any change to a body.
pub fn edit() -> impl Strategy<Value = Edit> {
    let byte = prop_oneof![
        4 => select(b"01".to_vec()),
        4 => select(b"0123456789,[]{}\":\\ \n.-+eEunatl\x00\x1f".to_vec()),
        1 => any::<u8>(),
    ];
    (0..100_u8, any::<Index>(), byte)
}

/// Changes a body.
pub fn apply(body: &mut Vec<u8>, (kind, place, byte): Edit) {
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
pub type TreeEdit = (u8, Index, Index, String, Tree);

/// Any change to a tree, to one of the given keys and names more often than by chance.
pub fn tree_edit(
    keys: Vec<&'static str>,
    names: Vec<&'static str>,
) -> impl Strategy<Value = TreeEdit> {
    let (key, place) = (select(keys).prop_map(String::from), any::<Index>());
    let numbers = vec!["0", "1", "00", "1.0", "-0", "18446744073709551615", "18446744073709551616"];
    let number = prop_oneof![number(), select(numbers).prop_map(String::from)];
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

/// Changes a tree.
pub fn apply_to_tree(root: &mut Tree, (kind, index, place, key, value): TreeEdit) {
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
