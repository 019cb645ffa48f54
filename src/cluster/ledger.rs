//! The change ledger: which nodes changed, in order.
//!
//! Every consumer keeps its own position. A score plane that returns after
//! other classes were placed rescores only the nodes named since; one that
//! stayed away too long is told to start afresh.

/// An append-only list of changed node slots with absolute positions.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    entries: Vec<u32>,
    /// Absolute position of `entries[0]`.
    base: u64,
}

impl Ledger {
    /// Notes a change; `slots` bounds how much history is worth keeping.
    #[inline]
    pub fn note(&mut self, slot: u32, slots: usize) {
        // Beyond a few times the number of nodes a full pass is cheaper than
        // the list, so the older half can go. Amortised O(1).
        if self.entries.len() >= 4_096.max(4 * slots) {
            let drop = self.entries.len() / 2;
            self.entries.drain(..drop);
            self.base += drop as u64;
        }
        self.entries.push(slot);
    }

    /// The position after the newest entry.
    #[inline]
    #[must_use]
    pub fn head(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    /// The slots noted since `position`, or `None` when that is forgotten.
    #[inline]
    #[must_use]
    pub fn since(&self, position: u64) -> Option<&[u32]> {
        let offset = position.checked_sub(self.base)?;
        self.entries.get(usize::try_from(offset).ok()?..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_what_changed_or_learn_that_it_is_forgotten() {
        let mut ledger = Ledger::default();
        let start = ledger.head();
        ledger.note(3, 10);
        ledger.note(5, 10);
        assert_eq!(ledger.since(start), Some(&[3, 5][..]));
        let middle = ledger.head();
        assert_eq!(ledger.since(middle), Some(&[][..]));
        for i in 0..10_000 {
            ledger.note(i % 10, 10);
        }
        assert_eq!(ledger.since(start), None);
        assert_eq!(ledger.head(), 10_002);
    }
}
