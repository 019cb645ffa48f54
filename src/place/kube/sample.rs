//! How many nodes an attempt looks at, and where the next one begins
//! (`schedule_one.go`, `numFeasibleNodesToFind` and
//! `findNodesThatPassFilters`, 1.31).

use crate::cluster::Slot;

/// Fewer nodes than these are always looked at, all of them
/// (`minFeasibleNodesToFind`).
pub(super) const MIN_NODES: usize = 100;
/// The smallest share that an adaptive percentage falls to.
const MIN_PERCENTAGE: usize = 5;

/// After how many feasible nodes an attempt over so many stops looking.
/// A percentage of 0 adapts to the number of nodes.
#[must_use]
pub fn nodes_to_find(nodes: usize, percentage: u8) -> usize {
    if nodes < MIN_NODES {
        return nodes;
    }
    let percentage = match percentage {
        0 => 50_usize.saturating_sub(nodes / 125).max(MIN_PERCENTAGE),
        stated => usize::from(stated),
    };
    (nodes * percentage / 100).max(MIN_NODES)
}

/// What an attempt saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Feasible nodes, in the order they were found.
    pub feasible: Vec<Slot>,
    /// How many nodes were looked at.
    pub examined: usize,
    /// Where the next attempt begins.
    pub next_start: usize,
}

/// Walks over the candidates in their order from `start`, around the end, until
/// enough are feasible. `candidates` are the nodes in the scheduler's list that
/// come into question, `all` is the length of that list.
///
/// DIFFERENCE: upstream looks with 16 workers, so at a few nodes more.
pub fn sample(
    candidates: &[Slot],
    all: usize,
    start: usize,
    percentage: u8,
    mut is_feasible: impl FnMut(Slot) -> bool,
) -> Sample {
    let need = nodes_to_find(candidates.len(), percentage);
    let mut feasible = Vec::new();
    let mut examined = 0;
    while examined < candidates.len() && feasible.len() < need {
        let slot = candidates[(start + examined) % candidates.len()];
        examined += 1;
        if is_feasible(slot) {
            feasible.push(slot);
        }
    }
    let next_start = (start + examined).checked_rem(all).unwrap_or(0);
    Sample { feasible, examined, next_start }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_specification() {
        let nodes = [99, 100, 250, 500, 1_000, 2_000, 5_000, 5_625, 10_000];
        let need = [99, 100, 120, 230, 420, 680, 500, 281, 500];
        assert_eq!(nodes.map(|n| nodes_to_find(n, 0)), need);
        assert_eq!([50, 100, 1_000].map(|n| nodes_to_find(n, 30)), [50, 100, 300]);
        assert_eq!([50, 100, 1_000].map(|n| nodes_to_find(n, 100)), [50, 100, 1_000]);
    }

    #[test]
    fn the_walk_stops_and_the_next_begins_there() {
        let slots: Vec<Slot> = (0..300).map(Slot).collect();
        // 300 nodes at 48 % need 144; every second node is feasible.
        let first = sample(&slots, 300, 0, 0, |slot| slot.0 % 2 == 1);
        assert_eq!((first.feasible.len(), first.next_start), (144, 288));
        let next = sample(&slots, 300, first.next_start, 0, |slot| slot.0 % 2 == 1);
        assert_eq!(next.feasible[..7], [289, 291, 293, 295, 297, 299, 1].map(Slot));
        // 6 from the end, 138 more by node 275.
        assert_eq!(next.next_start, 276);
    }

    #[test]
    fn few_nodes_are_all_looked_at_and_narrowing_moves_the_start() {
        let slots: Vec<Slot> = (0..10).map(Slot).collect();
        let all = sample(&slots, 10, 0, 0, |_| true);
        assert_eq!((all.feasible.len(), all.next_start), (10, 0));
        let narrowed = sample(&slots[3..5], 10, 9, 0, |_| true);
        assert_eq!(
            narrowed,
            Sample { feasible: vec![Slot(4), Slot(3)], examined: 2, next_start: 1 }
        );
        assert_eq!(sample(&[], 0, 0, 0, |_| true).next_start, 0);
    }
}
