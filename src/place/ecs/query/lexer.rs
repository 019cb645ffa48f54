//! Texts of the cluster query language cut into words, one at a time: what a
//! word may hold depends on where it stands, so the parser asks for a kind.

use std::fmt;
use std::ops::Range;

use super::{OPS, Op};

/// Words that join expressions.
const JOINING: [&str; 3] = ["and", "or", "not"];

/// Where the reader is in a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

/// What joins expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    And,
    Or,
    Not,
    Open,
    Close,
}

/// A literal as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) text: String,
    pub(super) span: Range<usize>,
    pub(super) quoted: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Lexer { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn text_of(&self, span: &Range<usize>) -> &'a str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// Whether this character follows without a blank.
    pub(super) fn touches(&self, wanted: char) -> bool {
        self.rest().starts_with(wanted)
    }

    /// Skips blanks; where the next word starts.
    pub(super) fn next_at(&mut self) -> usize {
        self.at += self.rest().len() - self.rest().trim_start().len();
        self.at
    }

    pub(super) fn is_done(&mut self) -> bool {
        self.next_at() == self.text.len()
    }

    /// The character at hand, for messages.
    pub(super) fn peek(&mut self) -> Option<char> {
        self.next_at();
        self.rest().chars().next()
    }

    /// Takes this character if it is next.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    /// What joins expressions, if that is next.
    pub(super) fn join(&mut self) -> Option<Join> {
        self.next_at();
        let rest = self.rest();
        let words = [("and", Join::And), ("or", Join::Or), ("not", Join::Not)];
        let word = &rest[..word_end(rest, is_subject)];
        let found = words.iter().find(|(name, _)| *name == word).map(|(name, j)| (name.len(), *j));
        let (length, join) = found.or_else(|| {
            let symbols = [
                ("&&", Join::And),
                ("||", Join::Or),
                ("(", Join::Open),
                (")", Join::Close),
                ("!", Join::Not),
            ];
            symbols.iter().find(|(s, _)| rest.starts_with(s)).map(|(s, j)| (s.len(), *j))
        })?;
        self.at += length;
        Some(join)
    }

    /// Whether what joins expressions, or the end, is next.
    pub(super) fn is_at_join(&self) -> bool {
        let mut ahead = *self;
        ahead.is_done() || ahead.join().is_some()
    }

    /// A subject or another word in its place.
    pub(super) fn word(&mut self) -> (&'a str, Range<usize>) {
        let start = self.next_at();
        let end = start + word_end(self.rest(), is_subject);
        self.at = end;
        (&self.text[start..end], start..end)
    }

    /// An operator, if one is next.
    pub(super) fn operator(&mut self) -> Option<(Op, Range<usize>)> {
        let start = self.next_at();
        let rest = self.rest();
        let mut best: Option<(Op, usize)> = None;
        for (op, symbol, name) in OPS {
            for word in [symbol, name] {
                let whole = match rest.strip_prefix(word) {
                    None => false,
                    // A word ends where no letter follows.
                    Some(after) if word.ends_with(char::is_alphabetic) => {
                        !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                    }
                    Some(_) => true,
                };
                if whole && best.is_none_or(|(_, length)| word.len() > length) {
                    best = Some((op, word.len()));
                }
            }
        }
        let (op, length) = best?;
        self.at += length;
        Some((op, start..self.at))
    }

    /// What stands where an operator should.
    pub(super) fn not_an_operator(&mut self) -> Range<usize> {
        let start = self.next_at();
        let symbols = word_end(self.rest(), |c| "=!<>~&|".contains(c));
        let end = start + if symbols > 0 { symbols } else { word_end(self.rest(), is_subject) };
        self.char_or(start..end)
    }

    /// A literal; in a pattern also brackets, commas and signs. `None` where
    /// none starts; `Err` for a quote without its other.
    pub(super) fn literal(&mut self, pattern: bool) -> Result<Option<Found>, Range<usize>> {
        let start = self.next_at();
        let rest = self.rest();
        if let Some(inside) = rest.strip_prefix('\'') {
            let Some(length) = inside.find('\'') else { return Err(start..self.text.len()) };
            self.at += length + 2;
            let text = inside[..length].to_owned();
            return Ok(Some(Found { text, span: start..self.at, quoted: true }));
        }
        let allowed = |c: char| is_bare(c) || (pattern && "[],<>=!~".contains(c));
        let mut length = word_end(rest, allowed);
        if let Some(joined) = ["&&", "||"].iter().filter_map(|s| rest[..length].find(s)).min() {
            length = joined;
        }
        if length == 0 {
            return Ok(None);
        }
        self.at += length;
        let text = rest[..length].to_owned();
        Ok(Some(Found { text, span: start..self.at, quoted: false }))
    }

    /// A range that holds at least a character, if there is one.
    pub(super) fn char_or(&self, range: Range<usize>) -> Range<usize> {
        if !range.is_empty() {
            return range;
        }
        let next = self.text[range.start..].chars().next().map_or(0, char::len_utf8);
        range.start..range.start + next
    }
}

fn word_end(text: &str, allowed: impl Fn(char) -> bool) -> usize {
    text.find(|c| !allowed(c)).unwrap_or(text.len())
}

/// What a subject may hold.
fn is_subject(c: char) -> bool {
    !c.is_whitespace() && !"()[],'\"=!<>~&|".contains(c)
}

/// What a literal without quotes may hold.
fn is_bare(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !"()[],'\"<>=!~".contains(c)
}

/// Whether a literal can only be meant as a word that joins.
pub(super) fn is_joining(text: &str) -> bool {
    JOINING.contains(&text)
}

/// A literal as it is written: bare where it can be.
pub(super) struct Literal<'a>(pub(super) &'a str);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0;
        let bare = !text.is_empty()
            && text.chars().all(is_bare)
            && !is_joining(text)
            && !text.contains("&&")
            && !text.contains("||");
        if bare { f.write_str(text) } else { write!(f, "'{text}'") }
    }
}
