//! Which of several possible scale-ups happens (`expander/` of Cluster
//! Autoscaler 1.37).
//!
//! Not built: `price`, which AWS does not offer, and `priority`.

use super::config::Expander;
use super::view::ScaleUpOption;
use crate::rng::Draws;
use crate::units::SimTime;

/// How equals are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// The first group in the given order.
    First,
    /// Uniformly; the draw is keyed by seed and time of the loop.
    Seeded(u64),
}

impl Ties {
    fn pick(self, now: SimTime, count: usize) -> usize {
        match self {
            Ties::First => 0,
            Ties::Seeded(seed) => {
                let mut draws = Draws::new(seed, "cluster-autoscaler-expander", now.0 as u64);
                draws.below(count as u64) as usize
            }
        }
    }
}

/// Applies the chain of filters until one option is left, and draws among
/// what the last one left (`expander/factory/chain.go`).
pub(super) fn choose(
    options: &[ScaleUpOption],
    chain: &[Expander],
    ties: Ties,
    now: SimTime,
) -> Option<ScaleUpOption> {
    let mut left = options.to_vec();
    for expander in chain {
        if left.len() <= 1 {
            break;
        }
        match expander {
            Expander::Random => left = vec![left[ties.pick(now, left.len())]],
            Expander::MostPods => {
                let most = left.iter().map(|o| o.pods).max();
                left.retain(|o| Some(o.pods) == most);
            }
            Expander::LeastNodes => {
                let fewest = left.iter().map(|o| o.nodes).min();
                left.retain(|o| Some(o.nodes) == fewest);
            }
            Expander::LeastWaste => {
                let least = left.iter().map(waste).fold(f64::INFINITY, f64::min);
                left.retain(|o| waste(o).total_cmp(&least).is_eq());
            }
        }
    }
    if left.is_empty() { None } else { Some(left[ties.pick(now, left.len())]) }
}

/// Share of the new nodes' cpu that nothing requests, plus that of memory,
/// of capacity and not of allocatable (`expander/waste/waste.go`). The same
/// floating-point steps as there, because equal values are a tie.
pub(super) fn waste(option: &ScaleUpOption) -> f64 {
    fn share(node: i64, nodes: u32, requested: i64) -> f64 {
        let available = i128::from(node) * i128::from(nodes);
        (available - i128::from(requested)) as f64 / available as f64
    }
    share(option.node_cpu.0, option.nodes, option.cpu.0)
        + share(option.node_memory.0, option.nodes, option.memory.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, MilliCpu};

    const GI: i64 = 1 << 30;

    fn option(group: u32, nodes: u32, pods: u64, node_cpu: i64, node_gib: i64) -> ScaleUpOption {
        ScaleUpOption {
            group,
            nodes,
            pods,
            cpu: MilliCpu(pods as i64 * 1_000),
            memory: Bytes(pods as i64 * 2 * GI),
            node_cpu: MilliCpu(node_cpu),
            node_memory: Bytes(node_gib * GI),
        }
    }

    fn chosen(options: &[ScaleUpOption], chain: &[Expander]) -> Option<u32> {
        choose(options, chain, Ties::First, SimTime::ZERO).map(|o| o.group)
    }

    #[test]
    fn waste_adds_the_idle_shares_of_cpu_and_memory() {
        // Ten pods of 1 cpu and 2 GiB on 4 nodes of 4 cpu, 16 GiB: of 16 cpu
        // 6 are idle, of 64 GiB 44. On 2 nodes of 8 cpu, 32 GiB the same.
        let a = option(0, 4, 10, 4_000, 16);
        let b = option(1, 2, 10, 8_000, 32);
        assert_eq!(waste(&a).to_bits(), 1.0625f64.to_bits());
        assert_eq!(waste(&b).to_bits(), 1.0625f64.to_bits());
        // 3 nodes of 4 cpu, 8 GiB: 2/12 + 4/24.
        let c = option(2, 3, 10, 4_000, 8);
        assert!((waste(&c) - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(chosen(&[a, b, c], &[Expander::LeastWaste]), Some(2));
    }

    #[test]
    fn a_chain_filters_until_one_is_left() {
        let a = option(0, 4, 10, 4_000, 16);
        let b = option(1, 2, 10, 8_000, 32);
        let c = option(2, 1, 6, 8_000, 16);
        let all = [a, b, c];
        assert_eq!(chosen(&all, &[Expander::MostPods]), Some(0));
        assert_eq!(chosen(&all, &[Expander::MostPods, Expander::LeastNodes]), Some(1));
        assert_eq!(chosen(&all, &[Expander::LeastNodes]), Some(2));
        assert_eq!(chosen(&[], &[Expander::LeastNodes]), None);
    }

    #[test]
    fn seeded_ties_reach_every_option_and_repeat() {
        let a = option(0, 4, 10, 4_000, 16);
        let b = option(1, 2, 10, 8_000, 32);
        let draw = |ms| choose(&[a, b], &[Expander::LeastWaste], Ties::Seeded(7), SimTime(ms));
        let groups: Vec<u32> = (0..200).filter_map(|i| draw(i * 10_000)).map(|o| o.group).collect();
        let ones = groups.iter().filter(|g| **g == 1).count();
        assert!((70..=130).contains(&ones), "{ones} of 200");
        assert_eq!(draw(10_000), draw(10_000));
        let random = choose(&[a, b], &[Expander::Random], Ties::Seeded(7), SimTime(10_000));
        assert_eq!(random.map(|o| o.group), draw(10_000).map(|o| o.group));
    }
}
