//! The future event list: a 4-ary heap of 16-byte keys, payloads in a slab.
//!
//! Sketch: a hold (pop, then push) moves 16 bytes per level over log₄ n levels;
//! at 100,000 pending that is about nine levels and 100 ns. Packing time,
//! phase, sequence and slot into one integer makes a comparison one
//! instruction and keeps fat events out of the heap.

use crate::units::SimTime;

/// Bits of the slab index in a key.
const SLOT_BITS: u32 = 32;
/// Bits of the sequence number: 2⁴⁰ events per run.
const SEQUENCE_BITS: u32 = 40;
/// Bits of the phase.
const PHASE_BITS: u32 = 8;
/// Bits of the time: 2⁴⁸ ms are 8,900 years.
const TIME_BITS: u32 = 48;

/// Events to come, ordered by (time, phase, sequence of insertion).
#[derive(Debug, Clone)]
pub struct EventQueue<E> {
    heap: Vec<u128>,
    slab: Vec<E>,
    free: Vec<u32>,
    sequence: u64,
}

impl<E: Copy> Default for EventQueue<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Copy> EventQueue<E> {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        EventQueue { heap: Vec::new(), slab: Vec::new(), free: Vec::new(), sequence: 0 }
    }

    /// How many events are to come.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is to come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Schedules an event. Times beyond 8,000 years are dropped: they stand
    /// for "never".
    ///
    /// # Panics
    /// If the time is negative or 2⁴⁰ events were scheduled.
    pub fn push(&mut self, time: SimTime, phase: u8, event: E) {
        assert!(time.ms() >= 0, "an event before the start of the run");
        if time.ms() >= 1 << TIME_BITS {
            return;
        }
        assert!(self.sequence < 1 << SEQUENCE_BITS, "more than 2^40 events");
        let slot = if let Some(slot) = self.free.pop() {
            self.slab[slot as usize] = event;
            slot
        } else {
            self.slab.push(event);
            self.slab.len() as u32 - 1
        };
        let key = (time.ms() as u128) << (PHASE_BITS + SEQUENCE_BITS + SLOT_BITS)
            | u128::from(phase) << (SEQUENCE_BITS + SLOT_BITS)
            | u128::from(self.sequence) << SLOT_BITS
            | u128::from(slot);
        self.sequence += 1;
        self.heap.push(key);
        self.sift_up();
    }

    /// Time and phase of the next event.
    #[must_use]
    pub fn peek(&self) -> Option<(SimTime, u8)> {
        self.heap.first().map(|key| {
            (
                SimTime((key >> (PHASE_BITS + SEQUENCE_BITS + SLOT_BITS)) as i64),
                (key >> (SEQUENCE_BITS + SLOT_BITS)) as u8,
            )
        })
    }

    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        let last = self.heap.pop()?;
        let key = if let Some(first) = self.heap.first().copied() {
            self.sift_down(last);
            first
        } else {
            last
        };
        let slot = key as u32;
        self.free.push(slot);
        let time = SimTime((key >> (PHASE_BITS + SEQUENCE_BITS + SLOT_BITS)) as i64);
        Some((time, self.slab[slot as usize]))
    }

    fn sift_up(&mut self) {
        let mut at = self.heap.len() - 1;
        let key = self.heap[at];
        while at > 0 {
            let parent = (at - 1) / 4;
            if self.heap[parent] <= key {
                break;
            }
            self.heap[at] = self.heap[parent];
            at = parent;
        }
        self.heap[at] = key;
    }

    /// Puts `key` where the root was.
    fn sift_down(&mut self, key: u128) {
        let heap = &mut self.heap[..];
        let mut at = 0;
        loop {
            let first = 4 * at + 1;
            if first >= heap.len() {
                break;
            }
            let last = (first + 4).min(heap.len());
            let mut least = first;
            for child in first + 1..last {
                if heap[child] < heap[least] {
                    least = child;
                }
            }
            if heap[least] >= key {
                break;
            }
            heap[at] = heap[least];
            at = least;
        }
        heap[at] = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn pops_as_a_sorted_map_would(
            ops in proptest::collection::vec((0i64..50, 0u8..4, any::<bool>()), 1..400),
        ) {
            let mut queue = EventQueue::new();
            let mut model = BTreeMap::new();
            for (i, (time, phase, pop)) in ops.into_iter().enumerate() {
                if pop {
                    prop_assert_eq!(queue.peek(), model.keys().next().map(|(t, p, _)| (SimTime(*t), *p)));
                    let got = queue.pop();
                    let want = model.pop_first().map(|((t, _, _), e)| (SimTime(t), e));
                    prop_assert_eq!(got, want);
                } else {
                    queue.push(SimTime(time), phase, i);
                    model.insert((time, phase, i), i);
                }
                prop_assert_eq!(queue.len(), model.len());
            }
        }
    }

    #[test]
    fn never_is_dropped() {
        let mut queue = EventQueue::new();
        queue.push(SimTime::NEVER, 0, 1);
        assert!(queue.is_empty());
    }
}
