//! Which pods are on which node, by class: what spreading, pod affinity and
//! host ports look at. Only classes with constraints or labels are counted.
//!
//! Like the nodes themselves the census keeps a log of its changes, so that
//! whoever derives counts from it follows in O(changes).

use super::nodes::Slot;
use crate::workload::ClassId;

/// One change: so many pods of the class more (or fewer) on the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CensusChange {
    /// Where.
    pub slot: u32,
    /// Of which class.
    pub class: ClassId,
    /// 1 or -1.
    pub by: i32,
}

/// Counts by slot and class, with the log of changes.
#[derive(Debug, Clone, Default)]
pub struct Census {
    /// By slot, the classes with pods there, sorted.
    by_slot: Vec<Vec<(ClassId, u32)>>,
    log: Vec<CensusChange>,
    /// Absolute position of `log[0]`.
    base: u64,
}

impl Census {
    /// Classes with pods on the slot and how many, sorted by class.
    #[must_use]
    pub fn on(&self, slot: Slot) -> &[(ClassId, u32)] {
        self.by_slot.get(slot.index()).map_or(&[], Vec::as_slice)
    }

    /// The position after the newest change.
    #[inline]
    #[must_use]
    pub fn head(&self) -> u64 {
        self.base + self.log.len() as u64
    }

    /// The changes since `position`, or `None` when they are forgotten.
    #[inline]
    #[must_use]
    pub fn since(&self, position: u64) -> Option<&[CensusChange]> {
        let offset = position.checked_sub(self.base)?;
        self.log.get(usize::try_from(offset).ok()?..)
    }

    /// Counts pods of a class on a slot.
    ///
    /// # Panics
    /// If a count would fall below zero.
    pub(super) fn shift(&mut self, slot: Slot, class: ClassId, by: i32, slots: usize) {
        if self.by_slot.len() <= slot.index() {
            self.by_slot.resize(slot.index() + 1, Vec::new());
        }
        let here = &mut self.by_slot[slot.index()];
        match here.binary_search_by_key(&class, |(class, _)| *class) {
            Ok(at) => {
                let left = here[at].1.checked_add_signed(by).expect("a pod leaves where it was");
                if left == 0 {
                    here.remove(at);
                } else {
                    here[at].1 = left;
                }
            }
            Err(at) => {
                let count = u32::try_from(by).expect("a pod leaves where it was");
                here.insert(at, (class, count));
            }
        }
        // As the ledger of nodes: beyond this a full pass is cheaper.
        if self.log.len() >= 4_096.max(4 * slots) {
            let drop = self.log.len() / 2;
            self.log.drain(..drop);
            self.base += drop as u64;
        }
        self.log.push(CensusChange { slot: slot.0, class, by });
    }
}
