//! Names that users write: which one is meant, and which ones a pattern names.

/// The candidate most like `name`, if it is like enough to be meant: at most
/// a third of the letters differ (transpositions count once), or only case
/// and separators do.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 120;
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    let plain = |s: &str| -> String {
        s.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let wanted = plain(name);
    candidates
        .into_iter()
        .filter(|c| c.len() <= LONGEST && *c != name)
        .filter_map(|candidate| {
            if !wanted.is_empty() && plain(candidate) == wanted {
                return Some((0, candidate));
            }
            let distance = strsim::osa_distance(name, candidate);
            let allowed = (name.chars().count().max(candidate.chars().count()) / 3).max(1);
            (distance <= allowed && distance < name.chars().count())
                .then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The candidate that is [`nearest`] to an unknown `name`, as the end of a
/// message about it; empty where none is.
#[must_use]
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// Whether a pattern matches all of a text: `*` stands for any run of
/// characters, `?` for one byte. At most their lengths multiplied.
#[must_use]
pub fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            // Let the last star swallow one more character.
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_has_a_sensible_cutoff() {
        let names = ["namespace", "on-interrupt", "nodeSelector", "min", "max"];
        assert_eq!(nearest("namespase", names), Some("namespace"));
        assert_eq!(nearest("node-selector", names), Some("nodeSelector"));
        assert_eq!(nearest("mni", names), Some("min"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("", names), None);
    }

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, name) in [
            ("m5.large", "m5.large"),
            ("*", "m5.large"),
            ("m5.*", "m5.large"),
            ("m*g.large", "m6g.large"),
            ("*g*.*xlarge", "c7gn.16xlarge"),
            ("**", "x"),
            ("m?.large", "m5.large"),
        ] {
            assert!(wildcard(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("m5", "m5.large"), ("m5.*", "m5a.large"), ("*.large", "m5.xlarge"), ("a*a", "a")]
        {
            assert!(!wildcard(pattern, name), "{pattern} {name}");
        }
    }
}
