//! One score per slot with block summaries, so that the maximum, how many
//! slots share it and the k-th of them cost a small part of a full pass.
//!
//! A score is one byte pair: -1 for infeasible, otherwise at most a few
//! hundred. Per block of 64 slots the plane keeps an upper bound of its
//! scores and how many slots reach it. A count of 0 says that every score of
//! the block lies below the bound: such a block is looked at again only if
//! its bound turns out to be the highest of all. Lowering a score therefore
//! costs two stores, however many slots there are.

/// Slots per block: two cache lines of scores.
pub(super) const BLOCK: usize = 64;
/// The score of a slot that cannot take the pod.
pub(super) const INFEASIBLE: i16 = -1;

/// Scores of one class over all slots.
#[derive(Debug, Clone, Default)]
pub(super) struct Plane {
    /// Padded with infeasible slots to whole blocks.
    scores: Vec<i16>,
    /// At least every score of the block.
    bound: Vec<i16>,
    /// How many slots of the block reach the bound exactly.
    count: Vec<i16>,
}

impl Plane {
    /// Makes room for `slots`; new ones are infeasible.
    pub(super) fn grow(&mut self, slots: usize) {
        let blocks = slots.div_ceil(BLOCK);
        if blocks > self.bound.len() {
            self.scores.resize(blocks * BLOCK, INFEASIBLE);
            self.bound.resize(blocks, INFEASIBLE);
            self.count.resize(blocks, BLOCK as i16);
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        2 * (self.scores.capacity() + self.bound.capacity() + self.count.capacity())
    }

    #[inline]
    pub(super) fn score(&self, slot: usize) -> i16 {
        self.scores[slot]
    }

    /// Changes one score.
    #[inline]
    pub(super) fn set(&mut self, slot: usize, score: i16) {
        let old = std::mem::replace(&mut self.scores[slot], score);
        if old == score {
            return;
        }
        let block = slot / BLOCK;
        let bound = self.bound[block];
        if score > bound {
            self.bound[block] = score;
            self.count[block] = 1;
        } else {
            // Exact as long as the bound is reached, and 0 from then on.
            self.count[block] += i16::from(score == bound) - i16::from(old == bound);
        }
    }

    /// Overwrites one score without its summary; [`Plane::summarise`] must
    /// follow.
    #[inline]
    pub(super) fn set_raw(&mut self, slot: usize, score: i16) {
        self.scores[slot] = score;
    }

    /// Makes every slot infeasible.
    pub(super) fn clear(&mut self) {
        self.scores.fill(INFEASIBLE);
        self.bound.fill(INFEASIBLE);
        self.count.fill(BLOCK as i16);
    }

    /// Recomputes every block summary.
    pub(super) fn summarise(&mut self) {
        for block in 0..self.bound.len() {
            self.summarise_block(block);
        }
    }

    #[inline]
    fn summarise_block(&mut self, block: usize) {
        let scores = &self.scores[block * BLOCK..(block + 1) * BLOCK];
        let bound = scores.iter().copied().max().unwrap_or(INFEASIBLE);
        self.bound[block] = bound;
        self.count[block] = scores.iter().map(|s| i16::from(*s == bound)).sum();
    }

    /// The highest score and how many slots have it; `(-1, 0)` if no slot is
    /// feasible.
    pub(super) fn top(&mut self) -> (i16, u32) {
        loop {
            let top = self.bound.iter().copied().max().unwrap_or(INFEASIBLE);
            if top == INFEASIBLE {
                return (INFEASIBLE, 0);
            }
            let mut count = 0u32;
            let mut stale = false;
            for (bound, reached) in self.bound.iter().zip(&self.count) {
                let here = *bound == top;
                count += if here { *reached as u32 } else { 0 };
                stale |= here & (*reached == 0);
            }
            if !stale {
                return (top, count);
            }
            for block in 0..self.bound.len() {
                if self.bound[block] == top && self.count[block] == 0 {
                    self.summarise_block(block);
                }
            }
        }
    }

    /// Blocks of the plane.
    pub(super) fn blocks(&self) -> usize {
        self.bound.len()
    }

    /// How many slots of the block have the score `top`, which must be the
    /// result of [`Plane::top`].
    #[inline]
    pub(super) fn top_in_block(&self, block: usize, top: i16) -> u32 {
        if self.bound[block] == top { self.count[block] as u32 } else { 0 }
    }

    /// One bit per slot of the block, set where the score is `top`.
    #[inline]
    pub(super) fn mask(&self, block: usize, top: i16) -> u64 {
        let scores = &self.scores[block * BLOCK..(block + 1) * BLOCK];
        let mut mask = 0u64;
        for (byte, eight) in scores.chunks_exact(8).enumerate() {
            let mut bits = 0u8;
            for (bit, score) in eight.iter().enumerate() {
                bits |= u8::from(*score == top) << bit;
            }
            mask |= u64::from(bits) << (8 * byte);
        }
        mask
    }

    /// The `k`-th lowest slot with the score `top`.
    pub(super) fn kth(&self, top: i16, mut k: u32) -> Option<usize> {
        for block in 0..self.bound.len() {
            let here = self.top_in_block(block, top);
            if k < here {
                return Some(block * BLOCK + nth_bit(self.mask(block, top), k));
            }
            k -= here;
        }
        None
    }
}

/// The position of the `k`-th lowest set bit.
#[inline]
pub(super) fn nth_bit(mut mask: u64, k: u32) -> usize {
    for _ in 0..k {
        mask &= mask.wrapping_sub(1);
    }
    mask.trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_plane_has_no_top() {
        let mut plane = Plane::default();
        assert_eq!(plane.top(), (INFEASIBLE, 0));
        plane.grow(70);
        assert_eq!(plane.top(), (INFEASIBLE, 0));
        plane.set(69, 0);
        assert_eq!(plane.top(), (0, 1));
        assert_eq!(plane.kth(0, 0), Some(69));
        assert_eq!(plane.kth(0, 1), None);
    }

    proptest! {
        #[test]
        fn top_count_and_kth_equal_a_scan(
            slots in 1usize..300,
            sets in proptest::collection::vec((0usize..300, -1i16..6, 0u8..8), 1..400),
        ) {
            let mut plane = Plane::default();
            plane.grow(slots);
            let mut plain = vec![INFEASIBLE; slots];
            for (slot, score, ask) in sets {
                let slot = slot % slots;
                plane.set(slot, score);
                plain[slot] = score;
                if ask > 0 {
                    continue;
                }
                let best = *plain.iter().max().expect("not empty");
                let at: Vec<usize> = (0..slots).filter(|i| plain[*i] == best).collect();
                let (top, count) = plane.top();
                prop_assert_eq!(top, best);
                if best >= 0 {
                    prop_assert_eq!(count as usize, at.len());
                    let got: Vec<usize> = (0..count).filter_map(|k| plane.kth(top, k)).collect();
                    prop_assert_eq!(got, at);
                }
            }
        }
    }
}
