//! Tables of amounts that add up to a bill.

use maud::{Markup, html};

use super::super::super::money_figures::ranked;
use super::super::super::text;
use super::super::named;
use crate::bill::ByName;
use crate::units::Money;

/// Owners in a table; the rest is one row.
pub(super) const OWNERS: usize = 25;

/// A row: heading, further cells, amount.
pub(super) type Row = (Markup, Vec<Markup>, Money);

/// Rows that add up to a total, with their shares; rounding is spread so that
/// what is written adds up too.
pub(super) fn adding_up(
    caption: &str,
    first: &str,
    more: &[&str],
    rows: &[Row],
    total: Money,
) -> Markup {
    let places = text::places(total);
    let amounts: Vec<Money> = rows.iter().map(|r| r.2).collect();
    let written = text::adding_up(Money::ZERO, &amounts, places);
    let sum: Money = written.iter().copied().sum();
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { th scope="col" { (first) }
                    @for head in more { th scope="col" { (head) } }
                    th.n scope="col" { "USD" } th.n scope="col" { "share" }
                    th.n.exact scope="col" { "exact USD" } } }
                tbody {
                    @for ((head, cells, exact), written) in rows.iter().zip(&written) {
                        tr { th scope="row" { (head) }
                            @for cell in cells { td { (cell) } }
                            td.n { (text::usd(*written, places)) }
                            td.n { (text::share(*exact, total)) }
                            td.n.exact { (exact) } }
                    }
                    tr.sum { th scope="row" { "total" }
                        @for _ in more { td {} }
                        td.n { (text::usd(sum, places)) }
                        td.n { (text::share(total, total)) }
                        td.n.exact { (total) } }
                }
            }
        }
    }
}

/// Owners, the largest first, those that are nobody's pods last; beyond
/// [`OWNERS`] the rest together.
pub(super) fn by_owner(caption: &str, first: &str, owners: &ByName, total: Money) -> Markup {
    let mut owners = ranked(owners);
    owners.retain(|(_, m)| *m != Money::ZERO);
    let (apart, rest) = split(&owners);
    let mut rows: Vec<Row> = apart.iter().map(|(n, m)| (named(n), Vec::new(), *m)).collect();
    if !rest.is_empty() {
        rows.push((others(rest.len()), Vec::new(), rest.iter().map(|r| r.1).sum()));
    }
    adding_up(caption, first, &[], &rows, total)
}

/// Rows that are shown, and those that are one: never a single one of these.
pub(super) fn split<T>(rows: &[T]) -> (&[T], &[T]) {
    rows.split_at(if rows.len() > OWNERS + 1 { OWNERS } else { rows.len() })
}

/// What stands for the rest.
pub(super) fn others(rows: usize) -> Markup {
    html! { "and " (text::count(rows as u64)) " more" }
}
