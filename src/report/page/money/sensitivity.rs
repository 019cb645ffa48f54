//! What the bill would be at other Spot prices and with more or fewer
//! commitments, decisions held fixed.
//!
//! The bill is a straight line in the price of Spot: what Spot lines cost now
//! and what the same hours cost On-Demand are both in the bill, so every level
//! between follows without billing again. Policies that look at prices might
//! decide otherwise.

use maud::{Markup, html};

use super::super::super::money_figures::{by_spot_price, spot};
use super::super::super::text;
use super::super::figure;
use super::commitments;
use crate::sweep::{Detail, Priced};

/// `None` where nothing was bought that could change.
pub(super) fn section(
    name: &dyn Fn(&str) -> String,
    title: &str,
    detail: &Detail,
) -> Option<Markup> {
    let spot = spot(detail);
    if spot.is_none() && detail.commitments.is_none() {
        return None;
    }
    Some(html! {
        @if let Some(spot) = spot {
            (figure(&by_spot_price(name("spot"), title, spot, detail)))
            (said(spot, detail))
        }
        @if let Some(study) = &detail.commitments {
            (commitments::sensitivity(name("commitments"), title, &detail.bill, study))
        }
        p.note { "What runs where is held fixed: policies that compare prices might decide otherwise." }
    })
}

fn said(spot: Priced, detail: &Detail) -> Markup {
    let places = text::places(detail.bill.total);
    let dearer = detail.bill.total - spot.net + spot.on_demand;
    html! {
        p { "Spot came to " (text::usd(spot.net, places)) ", "
            (text::percent(spot.net.to_f64() / spot.on_demand.to_f64()))
            " of what the same hours cost On-Demand. Were it 10 % dearer, the bill would be "
            (text::usd(detail.bill.total + spot.net.scale(1, 10), places))
            "; at On-Demand prices " (text::usd(dearer, places)) "." }
    }
}
