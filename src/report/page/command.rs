//! Commands that a reader may copy into a shell.

use crate::sweep::{CaseStudy, Input};

/// A word as a POSIX shell takes it: in quotes unless it is plain.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// `plimsoll VERB FILE --case NAME`; `None` without a file, and where a name
/// would be taken for an option.
pub(super) fn of_case(verb: &str, inputs: &[Input], case: &CaseStudy) -> Option<String> {
    let file = inputs.first().map(|i| i.path.as_str()).filter(|p| !p.is_empty())?;
    let names = [file, case.name.as_str()];
    (!names.iter().any(|n| n.starts_with('-') || n.is_empty()))
        .then(|| format!("plimsoll {verb} {} --case {}", word(file), word(&case.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        for (text, shown) in [
            ("a/b-1.yaml", "a/b-1.yaml"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(rm)", "'$(rm)'"),
            ("it's", "'it'\\''s'"),
        ] {
            assert_eq!(word(text), shown);
        }
    }

    #[test]
    fn a_command_names_file_and_case() {
        let input = |path: &str| Input { path: path.to_owned(), sha256: String::new() };
        let case = |name: &str| CaseStudy { name: name.to_owned(), ..CaseStudy::default() };
        let of = |path: &str, name: &str| of_case("commit", &[input(path)], &case(name));
        assert_eq!(of("s.yaml", "now").as_deref(), Some("plimsoll commit s.yaml --case now"));
        assert_eq!(of("my s.yaml", "a").as_deref(), Some("plimsoll commit 'my s.yaml' --case a"));
        assert_eq!((of("-x", "a"), of("s.yaml", "-x"), of("", "a")), (None, None, None));
        assert_eq!(of_case("commit", &[], &case("a")), None);
    }
}
