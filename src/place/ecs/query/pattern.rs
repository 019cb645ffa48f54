//! Patterns of `=~` and `!~`.
//!
//! The guide names Java's regular expressions. The engine here never takes
//! longer than linear time, and so knows neither look-around nor
//! back-references; these, and what Java reads differently, are refused.
//! Classes such as `\w` mean ASCII, as in Java without flags.

use regex::bytes::{Regex, RegexBuilder};

/// Most memory that one compiled pattern may take.
const MAX_COMPILED: usize = 1 << 20;
/// Longest pattern.
const MAX_LENGTH: usize = 1_000;

/// A pattern that must match a whole value.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    compiled: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(text: &str) -> Result<Pattern, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("a pattern has at most {MAX_LENGTH} bytes"));
        }
        if let Some(found) = refused(text) {
            return Err(found.to_owned());
        }
        let build = |text: &str| {
            RegexBuilder::new(text)
                .unicode(false)
                .size_limit(MAX_COMPILED)
                .dfa_size_limit(MAX_COMPILED)
                .build()
        };
        // By itself first, so that it cannot reach beyond what is put around it.
        build(text).map_err(|error| reason(&error))?;
        let compiled =
            build(&format!(r"\A(?:{text})\z")).map_err(|_| "it cannot match a whole value")?;
        Ok(Pattern { text: text.to_owned(), compiled })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches all of a value.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        self.compiled.is_match(value.as_bytes())
    }
}

/// The last line of the engine's message, which says what is wrong.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

/// What Java knows and the engine does not, or reads in another way.
fn refused(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let (mut at, mut in_class) = (0, false);
    let starts = |at: usize, what: &str| text.get(at..).is_some_and(|t| t.starts_with(what));
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => {
                match bytes.get(at + 1) {
                    Some(b'1'..=b'9' | b'k') if !in_class => {
                        return Some("back-references are not supported");
                    }
                    Some(b) if b"QEGZRhHVXce0N".contains(b) => {
                        return Some("this escape of Java's patterns is not supported");
                    }
                    _ => {}
                }
                at += 1;
            }
            b'[' => in_class = true,
            b']' => in_class = false,
            b'(' if !in_class => {
                if ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|look| starts(at, look)) {
                    return Some("look-around is not supported");
                }
                if starts(at, "(?>") {
                    return Some("atomic groups are not supported");
                }
            }
            b'*' | b'+' | b'?' | b'}' if !in_class && bytes.get(at + 1) == Some(&b'+') => {
                return Some("possessive quantifiers are not supported");
            }
            _ => {}
        }
        at += 1;
    }
    None
}
