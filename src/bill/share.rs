//! Commitments hour by hour, and each line's share of what they covered.
//!
//! All lines of one rate in one hour are one item of the coverage: sorting
//! costs nothing per node. The covered part of an item goes back to its lines
//! with cumulative rounding in the order of the lines: at list price in
//! proportion to their list amounts, so that no remainder is negative; the
//! plan's dollars and the quantity likewise.

use std::ops::Range;

use super::coverage::{Cover, Item, Ranking, Usage};
use super::meter::Window;
use super::prices::Commitment;
use super::usage::{NO_GROUP, RawLine};
use crate::units::{HOUR_MS, Money, Rate};

/// What one commitment covered of one item in one hour, being handed out.
#[derive(Debug, Clone, Copy)]
struct Share {
    plan: u16,
    /// To hand out: small units, On-Demand, plan dollars.
    quantity: i128,
    list: Money,
    net: Money,
    /// Of lines with this much in sum.
    list_sum: i128,
    quantity_sum: i128,
    /// Of which so far.
    list_run: i128,
    quantity_run: i128,
    /// Handed out so far.
    done: (i128, Money, Money),
}

/// A covered part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) plan: u16,
    pub(super) quantity: i64,
    pub(super) list: Money,
    pub(super) net: Money,
}

/// What every hour's commitments covered.
#[derive(Debug, Default)]
pub(super) struct Shares {
    first_hour: i64,
    groups: usize,
    usage: Vec<Usage>,
    /// Per (hour, group): where its shares start; one more at the end.
    start: Vec<u32>,
    handed: Vec<Share>,
    /// Per hour and commitment: committed, unused.
    pub(super) spent: Vec<Vec<(Money, Money)>>,
}

impl Shares {
    pub(super) fn new(window: Window, groups: usize) -> Self {
        Shares {
            first_hour: window.first_hour(),
            groups,
            usage: vec![Usage::default(); window.hours() * groups],
            ..Shares::default()
        }
    }

    fn cell(&self, line: &RawLine) -> Option<usize> {
        if line.group == NO_GROUP {
            return None;
        }
        let hour = usize::try_from(i64::from(line.hour) - self.first_hour).ok()?;
        Some(hour * self.groups + line.group as usize)
    }

    /// Counts a line in.
    pub(super) fn count(&mut self, line: &RawLine) {
        if let Some(usage) = self.cell(line).and_then(|cell| self.usage.get_mut(cell)) {
            usage.add(line.quantity, line.list);
        }
    }

    /// Covers every hour, now that all lines are counted. An hour that lies
    /// partly outside the cost window commits pro rata.
    pub(super) fn cover(
        &mut self,
        window: Window,
        items: &[Item],
        commitments: &[Commitment],
        rate: impl Fn(usize, usize) -> Option<Rate>,
    ) {
        let kinds: Vec<_> = commitments.iter().map(|c| c.kind).collect();
        let ranking = Ranking::new(items, &kinds, rate);
        let mut covers: Vec<Cover> = Vec::new();
        self.start.push(0);
        for hour in 0..window.hours() {
            let from = (self.first_hour + hour as i64) * HOUR_MS;
            let ms = window.overlap(from, from + HOUR_MS);
            let committed: Vec<Money> = commitments
                .iter()
                .map(|c| c.usd_per_hour.charge(i128::from(ms), i128::from(HOUR_MS)))
                .collect();
            let mut left = committed.clone();
            let cells: Range<usize> = hour * self.groups..(hour + 1) * self.groups;
            // Sums of the lines that the next commitment finds uncovered.
            let mut sums: Vec<(i128, i128)> = Vec::with_capacity(self.groups);
            sums.extend(self.usage[cells.clone()].iter().map(|u| (u.list.pico(), u.quantity)));
            covers.clear();
            ranking.apply(&mut self.usage[cells], &mut left, &mut covers);
            covers.sort_by_key(|c| c.item);
            let mut covers = covers.iter().peekable();
            for (group, sum) in sums.iter_mut().enumerate() {
                while let Some(c) = covers.next_if(|c| c.item as usize == group) {
                    self.handed.push(Share {
                        plan: c.plan,
                        quantity: c.quantity,
                        list: c.list,
                        net: c.net,
                        list_sum: sum.0,
                        quantity_sum: sum.1,
                        list_run: 0,
                        quantity_run: 0,
                        done: (0, Money::ZERO, Money::ZERO),
                    });
                    *sum = (sum.0 - c.list.pico(), sum.1 - c.quantity);
                }
                self.start.push(self.handed.len() as u32);
            }
            self.spent.push(committed.into_iter().zip(left).collect());
        }
        self.usage = Vec::new();
    }

    /// Hands a line its covered pieces, in the order of the commitments; what
    /// is returned stays uncovered: (quantity, list). Must be called once for
    /// every line counted, in the same order.
    pub(super) fn hand_out(&mut self, line: &RawLine, pieces: &mut Vec<Piece>) -> (i64, Money) {
        pieces.clear();
        let (mut quantity, mut list) = (line.quantity, line.list);
        let range = self.cell(line).and_then(|cell| {
            let from = *self.start.get(cell)? as usize;
            Some(from..*self.start.get(cell + 1)? as usize)
        });
        for share in &mut self.handed[range.unwrap_or(0..0)] {
            share.list_run += list.pico();
            share.quantity_run += i128::from(quantity);
            let (list_run, list_sum) = (share.list_run, share.list_sum);
            let to_list = portion(share.list.pico(), list_run, list_sum);
            let to_net = portion(share.net.pico(), list_run, list_sum);
            let to_quantity = portion(share.quantity, share.quantity_run, share.quantity_sum);
            let to = (to_quantity, Money::from_pico(to_list), Money::from_pico(to_net));
            let piece = Piece {
                plan: share.plan,
                // At most the line's own quantity, which is an i64.
                quantity: (to.0 - share.done.0) as i64,
                list: to.1 - share.done.1,
                net: to.2 - share.done.2,
            };
            share.done = to;
            quantity -= piece.quantity;
            list -= piece.list;
            if piece.quantity != 0 || piece.list != Money::ZERO || piece.net != Money::ZERO {
                pieces.push(piece);
            }
        }
        (quantity, list)
    }
}

/// `total × run ÷ sum`, half-even; all of it once `run` reaches `sum`. With
/// `total ≤ sum` a step of `run` by n moves it by at most n.
fn portion(total: i128, run: i128, sum: i128) -> i128 {
    if run >= sum {
        return total;
    }
    // Keep the product inside i128, whatever prices a user states.
    let room = total.unsigned_abs().leading_zeros().saturating_sub(2).clamp(1, 62);
    let shift = 128u32.saturating_sub(sum.leading_zeros()).saturating_sub(room);
    Money::from_pico(total).scale(run >> shift, (sum >> shift).max(1)).pico()
}
