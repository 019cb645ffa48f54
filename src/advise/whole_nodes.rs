//! How many nodes fixed pools need, and which edits of requests free a node.
//!
//! A fixed pool does not shrink by itself. Its *fewest* nodes are found by
//! simulation: with fewer of them the run would not hold everything that it
//! holds today. One pool after another, the dearest first, each by bisection;
//! so the result is a minimum in every pool, not always the smallest sum. If
//! even today's nodes do not hold everything, all pools grow alike first.
//!
//! Edits are tried in the order of the dollars they promise. For each node
//! that can go the shortest prefix of that order is found by bisection, then
//! every edit of it that is not needed is dropped: no set in the answer can
//! lose an edit (it is minimal), though another set of fewer edits may exist.
//!
//! Simulations are whoever asks' own ([`Trials`]); at most [`MAX_TRIALS`] of
//! them are run, then the answer says that it is not complete.

use crate::Result;
use crate::units::Money;

/// Most simulations of a search.
pub const MAX_TRIALS: usize = 400;
/// Steps that are looked for.
const MAX_STEPS: usize = 24;
/// Longest prefix from which single edits are dropped.
const MAX_PRUNED: usize = 40;
/// How far pools may grow, as a multiple of today's nodes.
const MAX_GROWTH: u32 = 4;

/// What a simulation came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// Whether it does the work of today's cluster.
    pub holds: bool,
    /// Mean number of running nodes.
    pub nodes: f64,
    /// Cost at list prices.
    pub list: Money,
}

/// Simulates the cluster with some edits and counts of fixed nodes.
pub trait Trials {
    /// `edits` are indices of edits; `counts` one number per fixed pool.
    ///
    /// # Errors
    /// When a simulation fails.
    fn run(&mut self, edits: &[usize], counts: &[u32]) -> Result<Trial>;
}

/// A fixed pool of today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedPool {
    /// Its name.
    pub name: String,
    /// Its nodes today.
    pub count: u32,
    /// Whether it may shrink.
    pub shrinks: bool,
    /// What a node costs an hour, to rank by.
    pub hourly: crate::units::Rate,
}

/// Edits that together free a node.
#[derive(Debug, Clone, PartialEq)]
pub struct FreedNode {
    /// The fixed pool; `None` where autoscalers remove nodes.
    pub pool: Option<usize>,
    /// Nodes freed by these edits, counted from what today's requests need.
    pub freed: u32,
    /// The edits, in the order tried: all that are needed, with those of the
    /// nodes freed before.
    pub edits: Vec<usize>,
    /// What the cluster then costs at list prices.
    pub list: Money,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WholeNodes {
    /// Fewest nodes per fixed pool with today's requests; `None` where no
    /// number holds everything.
    pub today: Option<Vec<u32>>,
    /// As `today`, with every edit.
    pub fitted: Option<Vec<u32>>,
    /// Nodes that edits free, one after another.
    pub freed: Vec<FreedNode>,
    /// Simulations that were run.
    pub trials: usize,
    /// Whether the search ended because of [`MAX_TRIALS`].
    pub cut_off: bool,
}

/// Counts simulations.
struct Budget<'a> {
    trials: &'a mut dyn Trials,
    used: usize,
}

impl Budget<'_> {
    fn run(&mut self, edits: &[usize], counts: &[u32]) -> Result<Option<Trial>> {
        if self.used >= MAX_TRIALS {
            return Ok(None);
        }
        self.used += 1;
        self.trials.run(edits, counts).map(Some)
    }

    fn holds(&mut self, edits: &[usize], counts: &[u32]) -> Result<bool> {
        Ok(self.run(edits, counts)?.is_some_and(|t| t.holds))
    }
}

/// Searches. `order` are the edits, the most promising first; `elastic` says
/// whether anything scales by itself.
///
/// # Errors
/// When a simulation fails.
pub fn whole_nodes(
    trials: &mut dyn Trials,
    pools: &[FixedPool],
    order: &[usize],
    elastic: bool,
) -> Result<WholeNodes> {
    let mut budget = Budget { trials, used: 0 };
    let mut found = WholeNodes {
        today: fewest(&mut budget, pools, &[])?,
        fitted: fewest(&mut budget, pools, order)?,
        ..WholeNodes::default()
    };
    if let (Some(today), Some(fitted)) = (found.today.clone(), found.fitted.clone()) {
        freed_fixed(&mut budget, pools, order, &today, &fitted, &mut found.freed)?;
    }
    if elastic {
        let counts: Vec<u32> = pools.iter().map(|p| p.count).collect();
        freed_elastic(&mut budget, order, &counts, &mut found.freed)?;
    }
    found.trials = budget.used;
    found.cut_off = budget.used >= MAX_TRIALS;
    Ok(found)
}

/// Pools by the price of a node, the dearest first.
fn dearest(pools: &[FixedPool]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..pools.len()).collect();
    order.sort_by(|a, b| pools[*b].hourly.cmp(&pools[*a].hourly));
    order
}

/// The fewest nodes of every pool that hold everything under these edits.
fn fewest(
    budget: &mut Budget<'_>,
    pools: &[FixedPool],
    edits: &[usize],
) -> Result<Option<Vec<u32>>> {
    let mut counts: Vec<u32> = pools.iter().map(|p| p.count).collect();
    if pools.is_empty() {
        return Ok(Some(counts));
    }
    let mut more = 0;
    while !budget.holds(edits, &counts)? {
        more += 1;
        let grown = |p: &FixedPool| p.count + if p.shrinks { more } else { 0 };
        let largest = pools.iter().filter(|p| p.shrinks).map(|p| p.count).max().unwrap_or(0);
        if more > largest.saturating_mul(MAX_GROWTH - 1) {
            return Ok(None);
        }
        counts = pools.iter().map(grown).collect();
    }
    for pool in dearest(pools).into_iter().filter(|p| pools[*p].shrinks) {
        // Invariant: `high` holds, everything below `low` does not.
        let (mut low, mut high) = (0, counts[pool]);
        while low < high {
            let middle = low + (high - low) / 2;
            counts[pool] = middle;
            if budget.holds(edits, &counts)? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        counts[pool] = high;
    }
    Ok(Some(counts))
}

/// The shortest prefix of `order`, not shorter than `from`, that is enough,
/// then without what it does not need. `None` where not even all are enough.
fn smallest(
    budget: &mut Budget<'_>,
    order: &[usize],
    from: usize,
    enough: &mut dyn FnMut(&mut Budget<'_>, &[usize]) -> Result<bool>,
) -> Result<Option<(usize, Vec<usize>)>> {
    if !enough(budget, order)? {
        return Ok(None);
    }
    let (mut low, mut high) = (from, order.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if enough(budget, &order[..middle])? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let mut edits = order[..high].to_vec();
    if edits.len() <= MAX_PRUNED {
        // The least promising first.
        for at in (0..edits.len()).rev() {
            let mut without = edits.clone();
            without.remove(at);
            if enough(budget, &without)? {
                edits = without;
            }
        }
    }
    Ok(Some((high, edits)))
}

fn freed_fixed(
    budget: &mut Budget<'_>,
    pools: &[FixedPool],
    order: &[usize],
    today: &[u32],
    fitted: &[u32],
    freed: &mut Vec<FreedNode>,
) -> Result<()> {
    let mut counts = today.to_vec();
    let (mut from, mut n) = (0, 0);
    for pool in dearest(pools) {
        while counts[pool] > fitted[pool] && freed.len() < MAX_STEPS {
            counts[pool] -= 1;
            let at = counts.clone();
            let mut enough = |b: &mut Budget<'_>, edits: &[usize]| b.holds(edits, &at);
            let Some((prefix, edits)) = smallest(budget, order, from, &mut enough)? else { break };
            let Some(trial) = budget.run(&edits, &counts)? else { return Ok(()) };
            (from, n) = (prefix, n + 1);
            freed.push(FreedNode { pool: Some(pool), freed: n, edits, list: trial.list });
        }
    }
    Ok(())
}

fn freed_elastic(
    budget: &mut Budget<'_>,
    order: &[usize],
    counts: &[u32],
    freed: &mut Vec<FreedNode>,
) -> Result<()> {
    let Some(today) = budget.run(&[], counts)? else { return Ok(()) };
    let mut from = 0;
    for n in 1..=MAX_STEPS as u32 {
        let most = today.nodes - f64::from(n);
        let mut enough = |b: &mut Budget<'_>, edits: &[usize]| {
            Ok(b.run(edits, counts)?.is_some_and(|t| t.holds && t.nodes <= most))
        };
        let Some((prefix, edits)) = smallest(budget, order, from, &mut enough)? else { break };
        let Some(trial) = budget.run(&edits, counts)? else { break };
        from = prefix;
        freed.push(FreedNode { pool: None, freed: n, edits, list: trial.list });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rate;

    /// Nodes of 4 cores; today's pods take 10, each edit saves some.
    struct Cores {
        saves: Vec<i64>,
        /// How many nodes autoscalers run beside, by need.
        elastic: bool,
    }

    impl Trials for Cores {
        fn run(&mut self, edits: &[usize], counts: &[u32]) -> Result<Trial> {
            let need = 10 - edits.iter().map(|e| self.saves[*e]).sum::<i64>();
            let room: i64 = counts.iter().map(|c| i64::from(*c) * 4).sum();
            let nodes = if self.elastic { need as f64 / 4.0 } else { 0.0 };
            Ok(Trial {
                holds: self.elastic || room >= need,
                nodes,
                list: Money::from_pico(i128::from(room)),
            })
        }
    }

    fn pool(count: u32, shrinks: bool, hourly: i128) -> FixedPool {
        FixedPool { name: "p".into(), count, shrinks, hourly: Rate::from_pico(hourly) }
    }

    #[test]
    fn the_smallest_sets_that_free_nodes() {
        // 10 cores need 3 of 5 nodes; a node less needs 2 cores saved, two 6.
        let mut trials = Cores { saves: vec![3, 1, 2, 1], elastic: false };
        let found =
            whole_nodes(&mut trials, &[pool(5, true, 1)], &[0, 2, 1, 3], false).expect("simulates");
        assert_eq!((found.today, found.fitted), (Some(vec![3]), Some(vec![1])));
        let sets: Vec<_> = found.freed.iter().map(|f| (f.freed, f.edits.clone())).collect();
        // 8 cores: edit 0 alone. 4 cores: 3 + 2 + 1, without the last.
        assert_eq!(sets, [(1, vec![0]), (2, vec![0, 2, 1])]);
        assert_eq!(found.freed[0].list, Money::from_pico(8));
        assert!(!found.cut_off && found.trials > 0);
    }

    #[test]
    fn what_a_set_does_not_need_is_dropped() {
        // In order 1, 3, 2 the prefix of all three frees the node, but 2 alone does.
        let mut trials = Cores { saves: vec![0, 0, 2, 0], elastic: false };
        let found =
            whole_nodes(&mut trials, &[pool(3, true, 1)], &[1, 3, 2], false).expect("simulates");
        assert_eq!(found.freed.len(), 1);
        assert_eq!(found.freed[0].edits, [2]);
    }

    #[test]
    fn pools_that_hold_too_little_grow_and_kept_pools_stay() {
        let mut trials = Cores { saves: vec![-10], elastic: false };
        let pools = [pool(1, false, 9), pool(2, true, 1)];
        let found = whole_nodes(&mut trials, &pools, &[0], false).expect("simulates");
        // 10 cores: one kept node and two more; 20 cores: four more.
        assert_eq!((found.today, found.fitted), (Some(vec![1, 2]), Some(vec![1, 4])));
        assert!(found.freed.is_empty());
        let mut trials = Cores { saves: vec![-1_000], elastic: false };
        let found = whole_nodes(&mut trials, &pools, &[0], false).expect("simulates");
        assert_eq!(found.fitted, None);
    }

    #[test]
    fn the_dearest_pool_shrinks_first() {
        let mut trials = Cores { saves: vec![4], elastic: false };
        let pools = [pool(2, true, 1), pool(2, true, 9)];
        let found = whole_nodes(&mut trials, &pools, &[0], false).expect("simulates");
        assert_eq!((found.today, found.fitted), (Some(vec![2, 1]), Some(vec![2, 0])));
        assert_eq!(found.freed[0].pool, Some(1));
    }

    #[test]
    fn autoscaled_nodes_are_freed_on_average() {
        // 2.5 nodes today; 1.5 with edit 0 (4 cores), 1.0 with both.
        let mut trials = Cores { saves: vec![4, 2], elastic: true };
        let found = whole_nodes(&mut trials, &[], &[0, 1], true).expect("simulates");
        let sets: Vec<_> = found.freed.iter().map(|f| (f.pool, f.edits.clone())).collect();
        assert_eq!(sets, [(None, vec![0])]);
    }
}
