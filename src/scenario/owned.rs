//! A file of commitments by themselves, in the words of a scenario.

use std::path::Path;

use super::commitments::Commitment;
use super::decode::{Ctx, Map, Spanned};
use super::diagnostic::{Diagnostics, Sources, Span};
use super::record::record;
use super::source::{read, text_of};
use super::tree::{self, Key, Value};
use crate::error::{Error, Result};

record! {
    /// What is owned, for usage that is not simulated.
    pub struct Owned {
        /// AWS Region of what is bound to one: Reserved Instances and EC2 Instance Savings Plans.
        "region" => region: Option<Spanned<String>>,
        /// Commitments, by name.
        "commitments" => commitments: Map<Commitment> = Map::default(),
    }
}

impl Owned {
    /// Reads a file; what is doubtful about it goes into the diagnostics,
    /// which later findings with places in the file can join.
    ///
    /// # Errors
    /// When it cannot be read or is malformed: all mistakes at once.
    pub fn load(path: &Path) -> Result<(Owned, Diagnostics)> {
        let name = path.display().to_string();
        Owned::parse(&name, text_of(&name, &read(path)?)?)
    }

    /// As [`Owned::load`] for a text called `name`.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn parse(name: &str, text: &str) -> Result<(Owned, Diagnostics)> {
        let mut sources = Sources::default();
        let file = sources.add(name, text);
        let mut diags = Diagnostics::new(sources);
        let whole = Span { file, start: 0, end: 0 };
        let owned = match tree::parse(text, file, 0, &mut diags) {
            Some(node) if node.value == Value::Null => {
                diags.error(whole, "the file is empty").help("it holds `commitments:`");
                None
            }
            Some(node) => {
                let key = Key { name: "commitments file".to_owned(), span: whole };
                Ctx::new(&mut diags).under::<Owned>(&key, &node)
            }
            None => None,
        };
        match owned {
            Some(owned) if !diags.has_errors() => Ok((owned, diags)),
            _ => Err(diags
                .into_result()
                .err()
                .unwrap_or_else(|| Error::failed("a commitments file was refused unexplained"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_their_place() {
        let fine = "commitments:\n  a: { kind: compute-sp, term: 1y, payment: no-upfront, \
                    usd-per-hour: 2.5 }\n";
        let (owned, _) = Owned::parse("c.yaml", fine).expect("fine");
        assert_eq!(owned.commitments.iter().count(), 1);
        for (text, words) in [
            ("commitment: {}\n", "commitments"),
            ("commitments: { a: { kind: gold } }\n", "c.yaml:1:27"),
            ("", "empty"),
            ("a: [\n", "c.yaml:"),
        ] {
            let error = Owned::parse("c.yaml", text).expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
