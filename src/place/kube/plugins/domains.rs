//! Numbers by topology domain: a label and one of its values.

use rustc_hash::FxHashMap;

/// Sums by domain. A domain that was ever added to stays known at 0.
#[derive(Debug, Clone, Default)]
pub(super) struct Domains {
    /// By topology key, in the order of first use.
    by_key: Vec<(String, FxHashMap<String, i64>)>,
}

impl Domains {
    /// The values of a key that are known, with their sums.
    fn values(&self, key: &str) -> Option<&FxHashMap<String, i64>> {
        self.by_key.iter().find(|(k, _)| k == key).map(|(_, values)| values)
    }

    /// Adds to a domain.
    pub(super) fn add(&mut self, key: &str, value: &str, by: i64) {
        let at = self.by_key.iter().position(|(k, _)| k == key).unwrap_or_else(|| {
            self.by_key.push((key.to_owned(), FxHashMap::default()));
            self.by_key.len() - 1
        });
        let values = &mut self.by_key[at].1;
        if let Some(sum) = values.get_mut(value) {
            *sum += by;
        } else {
            values.insert(value.to_owned(), by);
        }
    }

    /// The sum of a domain, `None` where nothing was ever added.
    pub(super) fn get(&self, key: &str, value: &str) -> Option<i64> {
        self.values(key)?.get(value).copied()
    }

    /// How many domains of the key are known.
    pub(super) fn len(&self, key: &str) -> usize {
        self.values(key).map_or(0, FxHashMap::len)
    }

    /// The smallest sum of a domain of the key.
    pub(super) fn min(&self, key: &str) -> Option<i64> {
        self.values(key)?.values().min().copied()
    }

    /// Topology keys that were added to.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.by_key.iter().map(|(key, _)| key.as_str())
    }

    /// Whether every sum is 0.
    pub(super) fn is_zero(&self) -> bool {
        self.by_key.iter().all(|(_, values)| values.values().all(|sum| *sum == 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_known_once_added_to() {
        let mut domains = Domains::default();
        assert!(domains.is_zero() && domains.min("zone").is_none());
        domains.add("zone", "a", 0);
        domains.add("zone", "b", 2);
        domains.add("host", "a", 5);
        assert_eq!((domains.len("zone"), domains.min("zone")), (2, Some(0)));
        assert_eq!((domains.get("zone", "b"), domains.get("zone", "c")), (Some(2), None));
        domains.add("zone", "b", -2);
        assert!(!domains.is_zero());
        domains.add("host", "a", -5);
        assert!(domains.is_zero());
        assert_eq!(domains.keys().collect::<Vec<_>>(), ["zone", "host"]);
    }
}
