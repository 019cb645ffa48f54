//! One score per slot with block summaries, so that the maximum, how many
//! slots share it and the k-th of them cost a small part of a full pass.
//!
//! A score is a byte: 0 for infeasible, otherwise one more than the base
//! score, which is at most 200. A block is 64 slots, one cache line. Per
//! block the plane keeps an upper bound of its scores and how many slots reach
//! it. A count of 0 says that every score of the block lies below the bound:
//! such a block is looked at again only if its bound turns out to be the
//! highest of all. Lowering a score therefore costs two stores, however many
//! slots there are.

/// Slots per block.
pub(super) const BLOCK: usize = 64;
/// The score of a slot that cannot take the pod.
pub(super) const INFEASIBLE: u8 = 0;
/// Summaries come in multiples of this, so that passes over them have no
/// remainder.
const LANES: usize = 32;

/// Scores of one class over all slots.
#[derive(Debug, Clone, Default)]
pub(super) struct Plane {
    /// Padded with infeasible slots to whole blocks.
    scores: Vec<u8>,
    /// At least every score of the block; padded with 0.
    bound: Vec<u8>,
    /// How many slots of the block reach the bound exactly.
    count: Vec<u8>,
    blocks: usize,
}

impl Plane {
    /// Makes room for `slots`; new ones are infeasible.
    pub(super) fn grow(&mut self, slots: usize) {
        let blocks = slots.div_ceil(BLOCK);
        if blocks > self.blocks {
            self.blocks = blocks;
            self.scores.resize(blocks * BLOCK, INFEASIBLE);
            let padded = blocks.next_multiple_of(LANES);
            self.bound.resize(padded, INFEASIBLE);
            self.count.resize(padded, BLOCK as u8);
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.scores.capacity() + self.bound.capacity() + self.count.capacity()
    }

    #[inline]
    pub(super) fn score(&self, slot: usize) -> u8 {
        self.scores[slot]
    }

    /// The score of every slot, and more up to whole blocks.
    #[inline]
    pub(super) fn scores(&self) -> &[u8] {
        &self.scores
    }

    /// Changes one score; says whether it is another one.
    #[inline]
    pub(super) fn set(&mut self, slot: usize, score: u8) -> bool {
        let old = std::mem::replace(&mut self.scores[slot], score);
        let block = slot / BLOCK;
        let bound = self.bound[block];
        // Without branches: which case it is, is as good as random. The count
        // is exact as long as the bound is reached, and 0 from then on.
        let higher = score > bound;
        let count = self.count[block] + u8::from(score == bound) - u8::from(old == bound);
        self.bound[block] = if higher { score } else { bound };
        self.count[block] = if higher { 1 } else { count };
        old != score
    }

    /// Overwrites one score without its summary; [`Plane::summarise`] must
    /// follow.
    #[inline]
    pub(super) fn set_raw(&mut self, slot: usize, score: u8) {
        self.scores[slot] = score;
    }

    /// Makes every slot infeasible.
    pub(super) fn clear(&mut self) {
        self.scores.fill(INFEASIBLE);
        self.bound.fill(INFEASIBLE);
        self.count.fill(BLOCK as u8);
    }

    /// Recomputes every block summary.
    pub(super) fn summarise(&mut self) {
        for block in 0..self.blocks {
            self.summarise_block(block);
        }
    }

    #[inline]
    fn summarise_block(&mut self, block: usize) {
        let scores = &self.scores[block * BLOCK..(block + 1) * BLOCK];
        let bound = scores.iter().fold(INFEASIBLE, |best, score| best.max(*score));
        self.bound[block] = bound;
        self.count[block] = scores.iter().map(|s| u8::from(*s == bound)).sum();
    }

    /// The highest score and how many slots have it; `(0, 0)` if no slot is
    /// feasible.
    pub(super) fn top(&mut self) -> (u8, u32) {
        loop {
            let top = self.bound.iter().fold(INFEASIBLE, |best, bound| best.max(*bound));
            if top == INFEASIBLE {
                return (INFEASIBLE, 0);
            }
            let (mut count, mut stale) = (0u32, false);
            let rows = self.bound.chunks_exact(LANES).zip(self.count.chunks_exact(LANES));
            for (bounds, counts) in rows {
                // At most 32 blocks of 64: a sum of 16 bits is enough.
                let mut sum = 0u16;
                let mut unreached = 0u8;
                for (bound, reached) in bounds.iter().zip(counts) {
                    let here = if *bound == top { u8::MAX } else { 0 };
                    sum += u16::from(*reached & here);
                    unreached |= here & if *reached == 0 { u8::MAX } else { 0 };
                }
                count += u32::from(sum);
                stale |= unreached != 0;
            }
            if !stale {
                return (top, count);
            }
            for block in 0..self.blocks {
                if self.bound[block] == top && self.count[block] == 0 {
                    self.summarise_block(block);
                }
            }
        }
    }

    /// Blocks of the plane.
    pub(super) fn blocks(&self) -> usize {
        self.blocks
    }

    /// How many slots of the block have the score `top`, which must be the
    /// result of [`Plane::top`].
    #[inline]
    pub(super) fn top_in_block(&self, block: usize, top: u8) -> u32 {
        if self.bound[block] == top { u32::from(self.count[block]) } else { 0 }
    }

    /// One bit per slot of the block, set where the score is `top`.
    #[inline]
    pub(super) fn mask(&self, block: usize, top: u8) -> u64 {
        const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
        let scores = &self.scores[block * BLOCK..(block + 1) * BLOCK];
        let (eights, _) = scores.as_chunks::<8>();
        let mut mask = 0u64;
        for (byte, eight) in eights.iter().enumerate() {
            // The top bit of each byte that equals `top`, then those 8 bits
            // side by side.
            let x = u64::from_le_bytes(*eight) ^ (u64::from(top) * 0x0101_0101_0101_0101);
            let equal = !(((x & LOW) + LOW) | x | LOW) >> 7;
            mask |= (equal.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * byte);
        }
        mask
    }

    /// The `k`-th lowest slot with the score `top`.
    pub(super) fn kth(&self, top: u8, mut k: u32) -> Option<usize> {
        for block in 0..self.blocks {
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
        plane.set(69, 1);
        assert_eq!(plane.top(), (1, 1));
        assert_eq!(plane.kth(1, 0), Some(69));
        assert_eq!(plane.kth(1, 1), None);
    }

    proptest! {
        #[test]
        fn top_count_and_kth_equal_a_scan(
            slots in 1usize..300,
            sets in proptest::collection::vec((0usize..300, prop_oneof![0u8..7, Just(201u8)], 0u8..8), 1..400),
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
                if best > 0 {
                    prop_assert_eq!(count as usize, at.len());
                    let got: Vec<usize> = (0..count).filter_map(|k| plane.kth(top, k)).collect();
                    prop_assert_eq!(got, at);
                }
            }
        }
    }
}
