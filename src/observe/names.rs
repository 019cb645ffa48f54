//! Stable names: a node is its pool and its launch number within the pool,
//! the same in every case that launches as many.

use super::record::Record;

impl Record {
    /// Launch number of every node within its pool, from 0.
    #[must_use]
    pub fn node_ordinals(&self) -> Vec<u32> {
        ordinals(self.nodes.iter().map(|n| n.pool.index()))
    }

    /// Launch number of every Fargate pod within its pool, from 0.
    #[must_use]
    pub fn fargate_ordinals(&self) -> Vec<u32> {
        ordinals(self.fargate.iter().map(|f| f.pool as usize))
    }
}

fn ordinals(pools: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut next: Vec<u32> = Vec::new();
    pools
        .map(|pool| {
            if next.len() <= pool {
                next.resize(pool + 1, 0);
            }
            next[pool] += 1;
            next[pool] - 1
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn launches_are_counted_per_pool() {
        assert_eq!(super::ordinals([1, 0, 1, 1, 0].into_iter()), [0, 0, 1, 2, 1]);
    }
}
