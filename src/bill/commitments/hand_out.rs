//! Each line's share of what commitments covered.
//!
//! Lines of one item and hour share what was covered of them: list price and
//! plan dollars in proportion to their list amounts, so that no remainder is
//! negative, and the quantity in proportion to quantities; with cumulative
//! rounding in the order of the lines. AWS lets instances that run at the same
//! moment share a benefit in no documented order; this is a choice.

use super::settlement::Settlement;
use super::usage::HourlyUsage;
use crate::bill::usage::{NO_GROUP, RawLine};
use crate::units::Money;

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
pub(in crate::bill) struct Piece {
    pub(in crate::bill) plan: u16,
    pub(in crate::bill) quantity: i64,
    pub(in crate::bill) list: Money,
    pub(in crate::bill) net: Money,
}

/// What every hour's commitments covered.
#[derive(Debug, Default)]
pub(in crate::bill) struct Shares {
    first_hour: i64,
    groups: usize,
    /// Per (hour, group): where its shares start; one more at the end.
    start: Vec<u32>,
    handed: Vec<Share>,
}

impl Shares {
    /// Gets ready to hand out what was covered of the usage.
    pub(in crate::bill) fn new(usage: &HourlyUsage, settlement: &Settlement) -> Self {
        let groups = usage.items.len();
        let mut start = Vec::with_capacity(usage.hours() * groups + 1);
        let mut handed = Vec::new();
        start.push(0);
        for hour in 0..usage.hours() {
            let mut covers = settlement.covers(hour).iter().peekable();
            for group in 0..groups {
                let cell = hour * groups + group;
                // Sums of the lines that the next commitment finds uncovered.
                let mut sum = (usage.list[cell].pico(), usage.quantity[cell]);
                while let Some(c) = covers.next_if(|c| c.item as usize == group) {
                    handed.push(Share {
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
                    sum = (sum.0 - c.list.pico(), sum.1 - c.quantity);
                }
                start.push(handed.len() as u32);
            }
        }
        Shares { first_hour: usage.first_hour(), groups, start, handed }
    }

    fn cell(&self, line: &RawLine) -> Option<usize> {
        if line.group == NO_GROUP {
            return None;
        }
        let hour = usize::try_from(i64::from(line.hour) - self.first_hour).ok()?;
        Some(hour * self.groups + line.group as usize)
    }

    /// Hands a line its covered pieces, in the order of the commitments; what
    /// is returned stays uncovered: (quantity, list). Must be called once for
    /// every line of the usage, in the same order.
    pub(in crate::bill) fn hand_out(
        &mut self,
        line: &RawLine,
        pieces: &mut Vec<Piece>,
    ) -> (i64, Money) {
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
