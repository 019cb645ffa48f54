//! A cost story in words and tables.

mod node;
mod owner;

use super::book::{Amount, Weights};
use super::charges::ChargeSum;
use super::label::LabelCost;
use super::{CostStory, Of};
use crate::nouns::noun;
use crate::report::explain::blocks::Block;
use crate::report::text;
use crate::units::Money;

/// Rows of a list that are shown; the others are summed up.
const TOP: usize = 12;

pub(super) fn blocks(story: &CostStory) -> Vec<Block> {
    let head = &story.head;
    let place = format!("case {}, seed {}", head.case, head.seed);
    let window = format!("cost from {} to {}", story.from, story.to);
    let mut blocks = match &story.of {
        Of::Node(node) => node::blocks(node, &place, &window, story.commitments),
        Of::Workload(owner) => owner::blocks(owner, "workload", &place, &window),
        Of::Namespace(owner) => owner::blocks(owner, "namespace", &place, &window),
        Of::Label(label) => of_label(label, &place, &window, story.bill_total),
    };
    if story.commitments {
        blocks.push(Block::heading(
            "Net is after commitments, amortised by the hour: the cash paid where no commitment \
             has an upfront payment. List is before them.",
        ));
    }
    blocks
}

fn of_label(it: &LabelCost, place: &str, window: &str, total: Money) -> Vec<Block> {
    let rows: Vec<_> = it
        .groups
        .iter()
        .map(|g| (vec![g.name.clone()], Amount { total: g.net, ..Amount::default() }))
        .collect();
    let mut blocks = vec![
        Block::heading(format!("The bill by label {}; {place}", it.label)),
        Block::text(window),
        Block::text(format!(
            "idle {}; system reserve {}; DaemonSets {}; shared {}",
            it.idle, it.system_reserve, it.daemonsets, it.shared
        )),
    ];
    blocks.extend(amounts(vec!["group"], &rows, total));
    blocks
}

/// A heading and what stands under it.
type Column = (&'static str, fn(&Amount) -> Money);

/// Rows with what was spent on cpu, memory and neither, cut and summed up. An
/// unused column is left out.
fn amounts(
    mut header: Vec<&'static str>,
    rows: &[(Vec<String>, Amount)],
    whole: Money,
) -> Vec<Block> {
    let left = header.len();
    let total: Amount = rows.iter().fold(Amount::default(), |mut sum, r| {
        sum.add(r.1);
        sum
    });
    let places = text::places(total.total);
    let columns: [Column; 3] =
        [("cpu", |a| a.cpu), ("memory", |a| a.memory), ("other", |a| a.other)];
    let used: Vec<_> = columns
        .into_iter()
        .filter(|(_, of)| rows.iter().any(|r| of(&r.1) != Money::ZERO))
        .collect();
    header.extend(used.iter().map(|(name, _)| *name));
    header.extend(["exact USD", "share"]);
    let row = |mut cells: Vec<String>, amount: &Amount| {
        cells.extend(used.iter().map(|(_, of)| text::usd(of(amount), places)));
        cells.push(amount.total.to_string());
        cells.push(text::share(amount.total, whole));
        cells
    };
    let mut shown: Vec<Vec<String>> =
        rows.iter().take(TOP).map(|(cells, amount)| row(cells.clone(), amount)).collect();
    if let Some(rest) = rows.get(TOP..).filter(|r| !r.is_empty()) {
        let mut sum = Amount::default();
        for (_, amount) in rest {
            sum.add(*amount);
        }
        let mut cells = vec![String::new(); left];
        cells[0] = format!("and {} more", text::count(rest.len() as u64));
        shown.push(row(cells, &sum));
    }
    let mut cells = vec![String::new(); left];
    "total".clone_into(&mut cells[0]);
    shown.push(row(cells, &total));
    vec![Block::Table { header, rows: shown, left, gives: 0 }]
}

/// Lines of the bill by price, summed up; with list prices beside net ones
/// where asked for.
fn charges(of: &[ChargeSum], with_list: bool) -> Block {
    let mut header = vec!["price", "lines", "quantity", "rate"];
    if with_list {
        header.push("list USD");
    }
    header.push("net USD");
    let sum = |money: fn(&ChargeSum) -> Money| -> Money { of.iter().map(money).sum() };
    let (list, net) = (sum(|c| c.of.list), sum(|c| c.of.net));
    let places = text::places(list.max(net));
    let row = |name: &str, lines: usize, amount: [String; 2], list: Money, net: Money| {
        let [quantity, rate] = amount;
        let mut row = vec![name.to_owned(), lines.to_string(), quantity, rate];
        if with_list {
            row.push(text::usd(list, places));
        }
        row.push(net.to_string());
        row
    };
    let mut rows: Vec<Vec<String>> = of
        .iter()
        .map(|c| {
            let rate = match c.rates {
                Some([lowest, highest]) => format!("{lowest}–{highest}"),
                None => c.of.rate.to_string(),
            };
            let quantity = format!("{} {}", quantity(c.of.quantity), c.of.unit);
            row(&c.of.sku, c.lines, [quantity, rate], c.of.list, c.of.net)
        })
        .collect();
    let lines = of.iter().map(|c| c.lines).sum();
    rows.push(row("total", lines, [String::new(), String::new()], list, net));
    Block::Table { header, rows, left: 1, gives: 0 }
}

/// With three decimals, small ones with as many as show something.
fn quantity(of: f64) -> String {
    let mut places = 3;
    while places < 9 && of != 0.0 && of.abs() * 10_f64.powi(places) < 100.0 {
        places += 1;
    }
    text::grouped(of, places as usize)
}

fn weights(of: &Weights) -> Vec<Block> {
    if of.types.is_empty() {
        return Vec::new();
    }
    let mut said: Vec<String> = of
        .types
        .iter()
        .take(TOP)
        .map(|t| {
            format!(
                "{} ({} vCPU, {} GiB) is {} cpu, {} memory",
                t.kind,
                t.vcpu,
                text::grouped(t.memory_gib, 1),
                text::percent(t.cpu_share),
                text::percent(1.0 - t.cpu_share)
            )
        })
        .collect();
    if of.types.len() > TOP {
        let more = of.types.len() - TOP;
        said.push(format!("and {} more {}", more, noun(more, "type")));
    }
    vec![Block::Text(
        format!(
            "A vCPU-hour weighs {}, a GB-hour {}: {}.",
            of.vcpu_hour,
            of.gb_hour,
            said.join("; ")
        ),
        2,
    )]
}
