//! A cursor over JSON text that accepts every valid layout and nothing invalid (RFC 8259).

use std::borrow::Cow;

use crate::error::{BodyError, BodyErrorKind as Kind};

/// Arrays and objects may be nested this deep.
pub const MAX_DEPTH: usize = 127;

pub(crate) type Result<T> = std::result::Result<T, BodyError>;

/// A place in a body. The reading methods skip white space before what they read.
pub(crate) struct Cursor<'a> {
    body: &'a [u8],
    pub(crate) position: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { body, position: 0, depth: 0 }
    }

    pub(crate) fn body(&self) -> &'a [u8] {
        self.body
    }

    /// An error of this kind at this place; at the end of the body, always an unexpected end.
    pub(crate) fn error(&self, kind: Kind) -> BodyError {
        let kind = if self.position >= self.body.len() { Kind::UnexpectedEnd } else { kind };
        BodyError { kind, offset: self.position }
    }

    /// The next byte that is not white space. Does not take it.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.body.get(self.position) {
            self.position += 1;
        }
        self.body.get(self.position).copied()
    }

    /// Where the next value starts.
    pub(crate) fn here(&mut self) -> usize {
        self.peek();
        self.position
    }

    /// Takes `byte`, called `what` in an error.
    pub(crate) fn expect(&mut self, byte: u8, what: &'static str) -> Result<()> {
        if self.peek() == Some(byte) {
            self.position += 1;
            Ok(())
        } else {
            Err(self.error(Kind::Expected(what)))
        }
    }

    /// Takes a `null` if there is one.
    pub(crate) fn null(&mut self) -> bool {
        self.peek();
        let found = self.body[self.position..].starts_with(b"null");
        if found {
            self.position += 4;
        }
        found
    }

    /// Takes an object; `visit` gets each key with its offset and must take the value.
    pub(crate) fn object(
        &mut self,
        what: &'static str,
        mut visit: impl FnMut(&mut Self, &str, usize) -> Result<()>,
    ) -> Result<()> {
        self.open(b'{', what)?;
        if self.peek() != Some(b'}') {
            loop {
                self.peek();
                let offset = self.position;
                let key = self.string("a key")?;
                self.expect(b':', "':'")?;
                visit(self, &key, offset)?;
                if self.peek() != Some(b',') {
                    break;
                }
                self.position += 1;
            }
        }
        self.close(b'}', "',' or '}'")
    }

    /// Takes an array; `visit` must take each item.
    pub(crate) fn array(
        &mut self,
        what: &'static str,
        mut visit: impl FnMut(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.open(b'[', what)?;
        if self.peek() != Some(b']') {
            loop {
                visit(self)?;
                if self.peek() != Some(b',') {
                    break;
                }
                self.position += 1;
            }
        }
        self.close(b']', "',' or ']'")
    }

    /// Takes the opening bracket of a container.
    pub(crate) fn open(&mut self, byte: u8, what: &'static str) -> Result<()> {
        self.expect(byte, what)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.position -= 1;
            return Err(self.error(Kind::TooDeep));
        }
        Ok(())
    }

    /// Takes the closing bracket of a container.
    pub(crate) fn close(&mut self, byte: u8, what: &'static str) -> Result<()> {
        self.expect(byte, what)?;
        self.depth -= 1;
        Ok(())
    }

    /// Takes a string, called `what` in an error, with its escapes resolved.
    pub(crate) fn string(&mut self, what: &'static str) -> Result<Cow<'a, str>> {
        self.expect(b'"', what)?;
        let start = self.position;
        let mut resolved: Option<String> = None;
        let mut chunk = start;
        loop {
            match self.body.get(self.position) {
                None => return Err(self.error(Kind::UnexpectedEnd)),
                Some(b'"') => break,
                Some(b'\\') => {
                    let text = resolved.get_or_insert_default();
                    text.push_str(self.utf8(chunk)?);
                    text.push(self.escape()?);
                    chunk = self.position;
                }
                Some(0..=0x1f) => return Err(self.error(Kind::InvalidString)),
                Some(_) => self.position += 1,
            }
        }
        let rest = self.utf8(chunk)?;
        self.position += 1;
        Ok(match resolved {
            None => Cow::Borrowed(rest),
            Some(text) => Cow::Owned(text + rest),
        })
    }

    /// The text from `start` to the cursor.
    fn utf8(&self, start: usize) -> Result<&'a str> {
        std::str::from_utf8(&self.body[start..self.position]).map_err(|error| BodyError {
            kind: Kind::InvalidUtf8,
            offset: start + error.valid_up_to(),
        })
    }

    /// Takes an escape sequence; a surrogate pair is one character.
    fn escape(&mut self) -> Result<char> {
        let offset = self.position;
        let invalid = BodyError { kind: Kind::InvalidString, offset };
        let Some(&letter) = self.body.get(offset + 1) else {
            self.position = self.body.len();
            return Err(self.error(Kind::UnexpectedEnd));
        };
        self.position += 2;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.hex4()?;
                if (0xd800..0xdc00).contains(&code) {
                    if !self.body[self.position..].starts_with(br"\u") {
                        return Err(invalid);
                    }
                    self.position += 2;
                    let low = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err(invalid);
                    }
                    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                }
                char::from_u32(code).ok_or(invalid)?
            }
            _ => return Err(invalid),
        })
    }

    fn hex4(&mut self) -> Result<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit =
                self.body.get(self.position).and_then(|&byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.error(Kind::InvalidString))?;
            self.position += 1;
        }
        Ok(code)
    }

    /// Takes a whole number that is not negative.
    pub(crate) fn unsigned(&mut self) -> Result<u64> {
        self.peek();
        let start = self.position;
        self.number()?;
        let mut value: u64 = 0;
        for &byte in &self.body[start..self.position] {
            let sum = match byte {
                b'0'..=b'9' => {
                    value.checked_mul(10).and_then(|v| v.checked_add(u64::from(byte - b'0')))
                }
                _ => None,
            };
            value = sum.ok_or(BodyError { kind: Kind::NumberOutOfRange, offset: start })?;
        }
        Ok(value)
    }

    /// Takes a number as a double, infinite where it is beyond the largest one.
    pub(crate) fn float(&mut self) -> Result<f64> {
        let start = self.here();
        self.number()?;
        let text = self.utf8(start)?;
        text.parse().map_err(|_| BodyError { kind: Kind::NumberOutOfRange, offset: start })
    }

    /// Takes a number.
    fn number(&mut self) -> Result<()> {
        if !matches!(self.body.get(self.position), Some(b'-' | b'0'..=b'9')) {
            return Err(self.error(Kind::Expected("a number")));
        }
        if self.body.get(self.position) == Some(&b'-') {
            self.position += 1;
        }
        if self.body.get(self.position) == Some(&b'0') {
            self.position += 1;
        } else {
            self.digits()?;
        }
        if self.body.get(self.position) == Some(&b'.') {
            self.position += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.body.get(self.position) {
            self.position += 1;
            if let Some(b'+' | b'-') = self.body.get(self.position) {
                self.position += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.position;
        while let Some(b'0'..=b'9') = self.body.get(self.position) {
            self.position += 1;
        }
        if self.position > start { Ok(()) } else { Err(self.error(Kind::Expected("a digit"))) }
    }

    /// Takes any value and checks that it is valid JSON.
    pub(crate) fn skip_value(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'{') => self.object("an object", |cursor, _, _| cursor.skip_value()),
            Some(b'[') => self.array("an array", Self::skip_value),
            Some(b'"') => self.string("a string").map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for word in ["null", "true", "false"] {
                    if self.body[self.position..].starts_with(word.as_bytes()) {
                        self.position += word.len();
                        return Ok(());
                    }
                }
                Err(self.error(Kind::Expected("a value")))
            }
        }
    }

    /// Checks that nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error(Kind::TrailingData)),
        }
    }
}

/// Puts a key's value in its place, once.
pub(crate) fn store<T>(place: &mut Option<T>, key: &str, offset: usize, value: T) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(BodyError { kind: Kind::DuplicateKey(key.to_owned()), offset }),
    }
}

/// What `read` takes, or `None` for a `null`.
pub(crate) fn optional<'a, T>(
    cursor: &mut Cursor<'a>,
    read: impl FnOnce(&mut Cursor<'a>) -> Result<T>,
) -> Result<Option<T>> {
    if cursor.null() { Ok(None) } else { read(cursor).map(Some) }
}

/// Takes a string.
pub(crate) fn text(cursor: &mut Cursor<'_>) -> Result<String> {
    cursor.string("a string").map(Cow::into_owned)
}
