//! A cost story in words, tables and CSV.

use super::super::text;
use super::blocks::Block;
use super::cost::{Amount, Bought, CostStory, LabelCost, NodeCost, Of, OwnerCost, Weights, hours};
use crate::units::Money;
use crate::{Error, Result};

/// Rows of a list that are shown; the others are summed up.
const TOP: usize = 12;

pub(super) fn blocks(story: &CostStory) -> Vec<Block> {
    let head = &story.head;
    let place = format!("case {}, seed {}", head.case, head.seed);
    let window = format!("cost from {} to {}", story.from, story.to);
    let mut blocks = match &story.of {
        Of::Node(node) => of_node(node, &place, &window, story.commitments),
        Of::Workload(owner) => of_owner(owner, "workload", &place, &window),
        Of::Namespace(owner) => of_owner(owner, "namespace", &place, &window),
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

fn of_node(node: &NodeCost, place: &str, window: &str, commitments: bool) -> Vec<Block> {
    let mut blocks = vec![
        Block::heading(format!(
            "Node {}: {}, {}, {}; {place}",
            node.name, node.kind, node.zone, node.purchase
        )),
        Block::text(window),
        Block::text(life(node)),
        Block::heading("Lines of the bill, added up by price"),
    ];
    // Both columns only where they can differ.
    let with_list = commitments && node.list != node.net;
    let mut header = vec!["price", "lines", "quantity", "rate"];
    if with_list {
        header.push("list USD");
    }
    header.push("net USD");
    let places = text::places(node.list.max(node.net));
    let mut rows: Vec<Vec<String>> = node
        .charges
        .iter()
        .map(|c| {
            let mut row = vec![
                c.of.sku.clone(),
                c.lines.to_string(),
                format!("{} {}", text::grouped(c.of.quantity, 3), c.of.unit),
                match c.rates {
                    Some([lowest, highest]) => format!("{lowest}–{highest}"),
                    None => c.of.rate.to_string(),
                },
            ];
            if with_list {
                row.push(text::usd(c.of.list, places));
            }
            row.push(c.of.net.to_string());
            row
        })
        .collect();
    let lines: usize = node.charges.iter().map(|c| c.lines).sum();
    let mut total = vec!["total".to_owned(), lines.to_string(), String::new(), String::new()];
    if with_list {
        total.push(text::usd(node.list, places));
    }
    total.push(node.net.to_string());
    rows.push(total);
    blocks.push(Block::Table { header, rows, left: 1, gives: 0 });
    if with_list {
        blocks.push(Block::text(format!("exactly {} USD before commitments", node.list)));
    }
    blocks.push(Block::heading("Whose it is"));
    let rows: Vec<_> =
        node.shares.iter().map(|s| (vec![s.owner.clone(), s.step.to_owned()], s.amount)).collect();
    blocks.extend(amounts(vec!["owner", "step"], &rows, node.net));
    blocks.extend(weights(&node.weights));
    blocks
}

fn life(node: &NodeCost) -> String {
    let mut parts = Vec::new();
    for (what, at) in [
        ("asked for", &node.requested),
        ("running", &node.running),
        ("Ready", &node.ready),
        ("cordoned", &node.draining),
        (if node.end == "reclaimed" { "reclaimed" } else { "terminated" }, &node.shutting_down),
    ] {
        if let Some(at) = at {
            parts.push(format!("{what} {at}"));
        }
    }
    if node.end == "running" && node.running.is_some() {
        parts.push("still running at the end".to_owned());
    }
    if let Some(hours) = hours(&node.charges) {
        parts.push(format!("{} h metered in the window", text::grouped(hours, 3)));
    }
    parts.join("; ")
}

fn of_owner(owner: &OwnerCost, what: &str, place: &str, window: &str) -> Vec<Block> {
    let kind = owner.kind.map(|k| format!(" ({k})")).unwrap_or_default();
    let mut blocks = vec![
        Block::heading(format!("Cost of {what} {}{kind}; {place}", owner.name)),
        Block::text(window),
        Block::text(format!("direct: exactly {} USD, what its pods requested", owner.direct)),
    ];
    if let Some(loaded) = owner.fully_loaded {
        let how = if owner.kind == Some("daemonset") {
            "on nodes a DaemonSet is shared by the workloads beside it"
        } else {
            "with what is shared"
        };
        blocks.push(Block::text(format!("fully loaded: exactly {loaded} USD, {how}")));
    }
    if owner.resources.is_empty() {
        blocks.push(Block::text("None of its pods ran in the cost window."));
        return blocks;
    }
    blocks.push(Block::heading("What became of the direct cost"));
    let rows: Vec<_> =
        owner.waterfall.iter().map(|s| (vec![s.step.to_owned()], s.amount)).collect();
    blocks.extend(amounts(vec!["step"], &rows, owner.direct));
    blocks.push(Block::heading("Where its pods ran, and its part of what that costs"));
    blocks.extend(resources(owner));
    blocks.extend(weights(&owner.weights));
    blocks.extend(distributed(owner));
    blocks
}

/// Where the pods of an owner ran.
fn resources(owner: &OwnerCost) -> Vec<Block> {
    let nets: Vec<Money> = owner.resources.iter().map(|r| r.net).collect();
    let places = text::places(nets.iter().copied().max().unwrap_or_default());
    let mut rows: Vec<Vec<String>> = owner
        .resources
        .iter()
        .take(TOP)
        .map(|r| {
            vec![
                r.resource.clone(),
                r.size.clone(),
                bought(&r.bought),
                text::usd(r.net, places),
                text::usd(r.amount.total, places),
                text::share(r.amount.total, r.net),
            ]
        })
        .collect();
    if let Some(rest) = owner.resources.get(TOP..).filter(|r| !r.is_empty()) {
        let sum: Money = rest.iter().map(|r| r.amount.total).sum();
        let net: Money = rest.iter().map(|r| r.net).sum();
        rows.push(vec![
            format!("and {} more", text::count(rest.len() as u64)),
            String::new(),
            String::new(),
            text::usd(net, places),
            text::usd(sum, places),
            text::share(sum, net),
        ]);
    }
    let net: Money = nets.into_iter().sum();
    rows.push(vec![
        "all".to_owned(),
        String::new(),
        String::new(),
        text::usd(net, places),
        text::usd(owner.direct, places),
        text::share(owner.direct, net),
    ]);
    let header = vec!["resource", "type", "bought", "its net", "part", "share"];
    vec![Block::Table { header, rows, left: 3, gives: 0 }]
}

/// How it was bought; where a plan covers a part, which part and which plan.
fn bought(of: &[Bought]) -> String {
    let main: Vec<&Bought> = of.iter().filter(|b| b.purchase != "other").collect();
    let whole: Money = main.iter().map(|b| b.net).sum();
    let name = |b: &Bought| match &b.commitment {
        Some(plan) => format!("plan {}", text::shortened(plan, 10)),
        None => b.purchase.to_owned(),
    };
    let covered = main.iter().filter(|b| b.commitment.is_some()).max_by_key(|b| b.net);
    match (main.as_slice(), covered) {
        ([], _) => "–".to_owned(),
        ([one], _) => name(one),
        (_, Some(plan)) => format!("{} {}", text::share(plan.net, whole), name(plan)),
        (several, None) => {
            several.iter().max_by_key(|b| b.net).map_or_else(String::new, |b| name(b))
        }
    }
}

fn distributed(owner: &OwnerCost) -> Vec<Block> {
    if owner.distributed.is_empty() {
        return Vec::new();
    }
    let rows: Vec<Vec<String>> = owner
        .distributed
        .iter()
        .map(|d| {
            let places = text::places(d.shared.max(d.direct_of_all));
            vec![
                d.pool.clone().unwrap_or_else(|| "(no pool)".to_owned()),
                text::usd(d.direct, places),
                text::usd(d.direct_of_all, places),
                text::usd(d.shared, places),
                d.part.to_string(),
            ]
        })
        .collect();
    let header = vec!["pool", "its direct", "of all", "shared", "its part USD"];
    let mut blocks = vec![
        Block::heading(
            "What it bears of shared cost, in proportion to direct cost: idle and reserved \
             capacity, boot, drain, DaemonSets, volumes; without a pool the control plane and \
             unused commitment",
        ),
        Block::Table { header, rows, left: 1, gives: 0 },
    ];
    let part: Money = owner.distributed.iter().map(|d| d.part).sum();
    if let Some(loaded) = owner.fully_loaded {
        let direct = loaded - part;
        blocks.push(Block::text(format!("{direct} direct + {part} shared = {loaded} USD")));
    }
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
        said.push(format!("and {} more types", of.types.len() - TOP));
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

/// Everything, one row a line, share or distributed part. Columns:
///
/// `section` (`line`, `share`, `distributed`), `resource`, `owner`, `item`
/// (price or step), `hour`, `quantity`, `unit`, `rate`, `list_usd`, `cpu_usd`,
/// `memory_usd`, `other_usd`, `usd`. The rows of one section sum to the net or
/// direct cost; those of `distributed` to what is borne of shared cost.
pub(super) fn csv(story: &CostStory) -> Result<String> {
    let failed = |e: &dyn std::fmt::Display| {
        Error::failed(format!("cannot write the explanation as CSV: {e}"))
    };
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "section",
        "resource",
        "owner",
        "item",
        "hour",
        "quantity",
        "unit",
        "rate",
        "list_usd",
        "cpu_usd",
        "memory_usd",
        "other_usd",
        "usd",
    ])
    .map_err(|e| failed(&e))?;
    let none = String::new;
    let share = |resource: &str, owner: &str, step: &str, a: &Amount| -> [String; 13] {
        [
            "share".to_owned(),
            text::csv_cell(resource),
            text::csv_cell(owner),
            step.to_owned(),
            none(),
            none(),
            none(),
            none(),
            none(),
            a.cpu.to_string(),
            a.memory.to_string(),
            a.other.to_string(),
            a.total.to_string(),
        ]
    };
    let mut rows: Vec<[String; 13]> = Vec::new();
    match &story.of {
        Of::Node(node) => {
            for line in &node.lines {
                rows.push([
                    "line".to_owned(),
                    text::csv_cell(&node.name),
                    none(),
                    text::csv_cell(&line.of.sku),
                    line.hour.clone(),
                    line.of.quantity.to_string(),
                    line.of.unit.to_owned(),
                    line.of.rate.to_string(),
                    line.of.list.to_string(),
                    none(),
                    none(),
                    none(),
                    line.of.net.to_string(),
                ]);
            }
            for s in &node.shares {
                rows.push(share(&node.name, &s.owner, s.step, &s.amount));
            }
        }
        Of::Workload(owner) | Of::Namespace(owner) => {
            for resource in &owner.resources {
                for step in &resource.steps {
                    rows.push(share(&resource.resource, &owner.name, step.step, &step.amount));
                }
            }
            for d in &owner.distributed {
                let mut row = share("", &owner.name, "", &Amount::default());
                "distributed".clone_into(&mut row[0]);
                row[1] = text::csv_cell(d.pool.as_deref().unwrap_or("(no pool)"));
                row[9..12].iter_mut().for_each(String::clear);
                row[12] = d.part.to_string();
                rows.push(row);
            }
        }
        Of::Label(label) => {
            for g in &label.groups {
                let amount = Amount { total: g.net, ..Amount::default() };
                rows.push(share("", &g.name, "", &amount));
            }
        }
    }
    for row in rows {
        csv.write_record(&row).map_err(|e| failed(&e))?;
    }
    let bytes = csv.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}
