//! A price with its pedigree: how it is known, from when, from where.
//!
//! Nothing in the catalog is a bare number. Whoever bills with a [`Quote`]
//! totals money by [`PriceStatus`], so a reader sees how much of an answer
//! rests on published prices.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::words::words;
use crate::units::Rate;

/// How well a price is known, best first; the weaker of two is the `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PriceStatus {
    /// Read in the named source.
    Real,
    /// Simple arithmetic on real figures.
    Derived,
    /// A planning default, not a quote: used, and marked wherever it counts.
    Representative,
    /// Recollection without a source: refused unless the user consents.
    Believed,
}

words!(PriceStatus {
    Real = "real",
    Derived = "derived",
    Representative = "representative",
    Believed = "believed",
});

impl PriceStatus {
    /// Whether it may be presented as an AWS price.
    #[must_use]
    pub const fn is_published(self) -> bool {
        matches!(self, PriceStatus::Real | PriceStatus::Derived)
    }
}

/// Immutable text that costs a counter to clone: names, dates and sources
/// are shared by hundreds of quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<str>);

impl Text {
    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(Arc::from(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text(Arc::from(text))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

/// A rate in USD per unit with status, date and source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// USD per unit; the unit is that of the method that returned it.
    pub rate: Rate,
    /// How well it is known.
    pub status: PriceStatus,
    /// A date (`2026-07-20`, `2026-03`, `2025`), a range `first..last`, or
    /// empty where the source has none.
    pub as_of: Text,
    /// Where it was read, or how it was computed.
    pub source: Text,
}

/// The range that covers two dates or ranges; an empty one adds nothing.
pub(super) fn cover(a: &str, b: &str) -> String {
    let ends = |text: &str| -> Option<(String, String)> {
        if text.is_empty() {
            return None;
        }
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        Some((first.to_owned(), last.to_owned()))
    };
    match (ends(a), ends(b)) {
        (None, None) => String::new(),
        (Some((first, last)), None) | (None, Some((first, last))) => join(first, &last),
        (Some((a0, a1)), Some((b0, b1))) => join(a0.min(b0), &a1.max(b1)),
    }
}

fn join(first: String, last: &str) -> String {
    if first == last { first } else { format!("{first}..{last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weaker_status_is_the_greater() {
        assert!(PriceStatus::Real < PriceStatus::Derived);
        assert_eq!(PriceStatus::Believed.max(PriceStatus::Representative), PriceStatus::Believed);
        for &status in PriceStatus::ALL {
            assert_eq!(PriceStatus::from_word(status.word()), Some(status));
        }
        assert_eq!(PriceStatus::from_word("Real"), None);
        assert!(!PriceStatus::Representative.is_published());
    }

    #[test]
    fn date_ranges_cover_their_parts() {
        assert_eq!(cover("2025-06-28", "2026-07-20"), "2025-06-28..2026-07-20");
        assert_eq!(cover("2026-07-20", "2025-06-28"), "2025-06-28..2026-07-20");
        assert_eq!(cover("2024-07..2026-03", "2025"), "2024-07..2026-03");
        assert_eq!(cover("2025", ""), "2025");
        assert_eq!(cover("", ""), "");
    }
}
