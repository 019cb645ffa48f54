//! What labels and taints mean to a class, worked out once per pair: whether
//! the class may go there, and how many taints it would rather avoid.

use super::fit::worth_requeuing;
use super::score::untolerated_preferences;
use crate::cluster::{Nodes, TraitsId, admits};
use crate::workload::PodClass;

/// The answer for one (class, traits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Admission {
    /// Index into [`Admissions::preferences`], or [`Admission::REFUSED`].
    group: u8,
    /// Whether such a node, when it appears, is worth another attempt.
    pub(super) quick: bool,
}

impl Admission {
    const REFUSED: u8 = u8::MAX;

    /// Whether the class may go there.
    #[inline]
    pub(super) fn admits(self) -> bool {
        self.group != Self::REFUSED
    }

    /// The score group of such nodes; no group's number where the class may
    /// not go.
    #[inline]
    pub(super) fn group(self) -> u8 {
        self.group
    }
}

/// All answers for one class, indexed by traits. Traits are interned and
/// never change, so nothing here is ever out of date.
#[derive(Debug, Clone, Default)]
pub(super) struct Admissions {
    by_traits: Vec<Admission>,
    /// Distinct numbers of untolerated `PreferNoSchedule` taints met so far:
    /// one group of nodes each.
    pub(super) preferences: Vec<i64>,
}

impl Admissions {
    /// Works out the traits that were interned since the last call.
    #[inline]
    pub(super) fn sync(&mut self, nodes: &Nodes, class: &PodClass) {
        if self.by_traits.len() < nodes.traits_len() {
            self.extend(nodes, class);
        }
    }

    #[cold]
    fn extend(&mut self, nodes: &Nodes, class: &PodClass) {
        for id in self.by_traits.len()..nodes.traits_len() {
            let traits = nodes.traits_of(TraitsId(id as u32));
            let group = if admits(traits, class) {
                // A node has far fewer than 254 taints; the last group takes
                // whatever exceeds it, so that an index always exists.
                let raw = untolerated_preferences(traits, class);
                let at = self.preferences.iter().position(|p| *p == raw).unwrap_or_else(|| {
                    self.preferences.push(raw);
                    self.preferences.len() - 1
                });
                at as u8
            } else {
                Admission::REFUSED
            };
            self.by_traits.push(Admission { group, quick: worth_requeuing(traits, class) });
        }
    }

    #[inline]
    pub(super) fn get(&self, traits: u32) -> Admission {
        self.by_traits[traits as usize]
    }
}
