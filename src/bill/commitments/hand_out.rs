//! Each line's share of what commitments covered.
//!
//! Lines of one item and hour share what was covered of them: list price and
//! plan dollars in proportion to their list amounts, so that no remainder is
//! negative, and the quantity in proportion to quantities. AWS lets instances
//! that run at the same moment share a benefit in no documented order; this is
//! a choice.
//!
//! Rounding is cumulative, twice. Over the lines: with all that commitments
//! covered, `C`, the first k lines have got `A(k) = round(C × runₖ ÷ sum)` of it.
//! Over the commitments: of an amount `A` the first one has `H₁(A) = round(C₁ ×
//! A ÷ C)`, the next the same share of what is left, the last the rest. Every
//! `Hₚ(A(k))` grows with k, so no piece is negative; its differences add up to
//! what commitment p covered, and over the commitments to what the line got. So
//! what a line costs takes two steps however many commitments there are, and
//! pieces need be told only where somebody wants them: line by line, or once
//! for a run of lines of one SKU.

use super::handing::Handing;
use super::settlement::Settlement;
use super::usage::{HourlyUsage, ItemSource};
use crate::bill::usage::{NO_GROUP, RawLine};
use crate::units::{Money, Portions};

/// What commitments covered of one item in one hour, being handed out.
#[derive(Debug, Clone)]
struct Cell {
    /// By the list amounts of lines: what of those is covered, and the plan
    /// dollars for it.
    covered: Handing,
    spent: Handing,
    /// Sum of the quantities, and what of it came by.
    quantity: (i128, i128),
    /// What of the quantities is covered.
    quantities: i128,
    /// SKU of the lines whose pieces are not told yet, their remainder.
    untold: Option<u16>,
    rest: (i128, Money),
    /// Index into `Shares::parts`: from, to.
    shares: (u32, u32),
}

/// The part of one commitment.
#[derive(Debug, Clone, Copy)]
struct Share {
    plan: u16,
    quantity: i128,
    list: i128,
    net: i128,
    /// What of it was told: quantity, list, net.
    told: (i128, i128, i128),
}

/// A covered part of lines.
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
    /// Where each group's prices stand.
    sources: Vec<ItemSource>,
    /// Per hour and group; `None` where nothing is covered.
    cells: Vec<Option<Cell>>,
    parts: Vec<Share>,
}

impl Shares {
    /// Gets ready to hand out what was covered of the usage.
    pub(in crate::bill) fn new(usage: &HourlyUsage, settlement: &Settlement) -> Self {
        let groups = usage.items.len();
        let mut cells = Vec::with_capacity(usage.hours() * groups);
        let mut parts = Vec::new();
        for hour in 0..usage.hours() {
            let mut covers = settlement.covers(hour).iter().peekable();
            for group in 0..groups {
                let first = parts.len() as u32;
                let (mut covered, mut spent, mut quantities) = (0, 0, 0);
                while let Some(c) = covers.next_if(|c| c.item as usize == group) {
                    let (quantity, list, net) = (c.quantity, c.list.pico(), c.net.pico());
                    covered += list;
                    spent += net;
                    quantities += quantity;
                    parts.push(Share { plan: c.plan, quantity, list, net, told: (0, 0, 0) });
                }
                let at = hour * groups + group;
                let sums = (usage.list[at].pico(), usage.quantity[at]);
                cells.push((parts.len() as u32 > first).then(|| Cell {
                    covered: Handing::new(covered, sums.0),
                    spent: Handing::new(spent, sums.0),
                    quantity: (sums.1, 0),
                    quantities,
                    untold: None,
                    rest: (0, Money::ZERO),
                    shares: (first, parts.len() as u32),
                }));
            }
        }
        let sources = usage.items.iter().map(|item| item.source).collect();
        Shares { first_hour: usage.first_hour(), sources, cells, parts }
    }

    /// The cell of a line of which something may be covered.
    pub(in crate::bill) fn cell(&self, line: &RawLine) -> Option<usize> {
        if line.group == NO_GROUP {
            return None;
        }
        let hour = usize::try_from(i64::from(line.hour) - self.first_hour).ok()?;
        let cell = hour * self.sources.len() + line.group as usize;
        self.cells.get(cell)?.as_ref().map(|_| cell)
    }

    /// Number of cells.
    pub(in crate::bill) fn cells(&self) -> usize {
        self.cells.len()
    }

    /// The clock hour of a cell.
    pub(in crate::bill) fn hour(&self, cell: usize) -> i32 {
        // Within the cost window, whose hours are checked.
        (self.first_hour + (cell / self.sources.len().max(1)) as i64) as i32
    }

    /// Where the prices of what a cell is about stand.
    pub(in crate::bill) fn source(&self, cell: usize) -> ItemSource {
        self.sources[cell % self.sources.len()]
    }

    /// SKU of the lines of a cell whose pieces are not told yet.
    pub(in crate::bill) fn untold(&self, cell: usize) -> Option<u16> {
        self.cells[cell].as_ref()?.untold
    }

    /// The commitments that cover something of a cell.
    pub(in crate::bill) fn plans(&self, cell: usize) -> impl Iterator<Item = u16> {
        let range = self.cells[cell].as_ref().map_or(0..0, |c| c.shares.0..c.shares.1);
        self.parts[range.start as usize..range.end as usize].iter().map(|s| s.plan)
    }

    /// What a line costs now: what its part takes of the commitments, and what
    /// stays uncovered. Must be called once for every line of the usage that
    /// has a cell, in the same order; lines of another SKU than those before
    /// come after these were told.
    pub(in crate::bill) fn take(&mut self, cell: usize, line: &RawLine) -> Money {
        let Some(cell) = &mut self.cells[cell] else { return line.list };
        debug_assert!(cell.untold.is_none_or(|sku| sku == line.sku), "told before another SKU");
        let list = line.list.pico();
        cell.quantity.1 += i128::from(line.quantity);
        let uncovered = list - cell.covered.next(list);
        cell.untold = Some(line.sku);
        cell.rest.0 += i128::from(line.quantity);
        cell.rest.1 += Money::from_pico(uncovered);
        Money::from_pico(uncovered + cell.spent.next(list))
    }

    /// The pieces of the lines taken since the last time, and what of them
    /// stays uncovered: (quantity, list).
    pub(in crate::bill) fn tell(&mut self, cell: usize, pieces: &mut Vec<Piece>) -> (i64, Money) {
        pieces.clear();
        let Some(cell) = &mut self.cells[cell] else { return (0, Money::ZERO) };
        cell.untold = None;
        let share = |of: i128, all: i128, left| Portions::new(Money::from_pico(of), all).upto(left);
        let (sum, run) = cell.quantity;
        // What came out of the lines so far and is not any commitment's yet,
        // and of what: quantity, list, net.
        let mut left = (share(cell.quantities, sum, run), cell.covered.done(), cell.spent.done());
        let mut all = (cell.quantities, cell.covered.total(), cell.spent.total());
        let mut told = 0;
        for part in &mut self.parts[cell.shares.0 as usize..cell.shares.1 as usize] {
            let now = (
                share(part.quantity, all.0, left.0),
                share(part.list, all.1, left.1),
                share(part.net, all.2, left.2),
            );
            left = (left.0 - now.0, left.1 - now.1, left.2 - now.2);
            all = (all.0 - part.quantity, all.1 - part.list, all.2 - part.net);
            let piece = Piece {
                plan: part.plan,
                quantity: narrow(now.0 - part.told.0),
                list: Money::from_pico(now.1 - part.told.1),
                net: Money::from_pico(now.2 - part.told.2),
            };
            told += now.0 - part.told.0;
            part.told = now;
            if piece.quantity != 0 || piece.list != Money::ZERO || piece.net != Money::ZERO {
                pieces.push(piece);
            }
        }
        let (quantity, list) = std::mem::replace(&mut cell.rest, (0, Money::ZERO));
        (narrow(quantity - told), list)
    }
}

/// A quantity of one item in one hour: that of a line, or the sum that only
/// sums see.
fn narrow(quantity: i128) -> i64 {
    i64::try_from(quantity).unwrap_or(i64::MAX)
}
