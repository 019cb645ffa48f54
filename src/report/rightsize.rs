//! Rightsizing as a table for people, and as JSON, CSV and Markdown.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};
use serde_json::{Value, json};

use super::terminal::{WIDTH, wrapped};
use super::{Format, patches, text};
use crate::advise::{Dollars, FittedRow, FreedNode, Rightsized, SERVES_LESS};
use crate::sweep::SCHEMA_VERSION;
use crate::units::{HOUR_MS, Money};
use crate::workload::WorkloadKind;
use crate::workload::rightsize::{
    AbsentRequests, Advice, Caution, LimitRule, Method, Resource, quantity, usage_quantity,
};
use crate::{Error, Result};

/// Rows of the table for people.
const ROWS: usize = 20;
/// Characters of a name with its number of pods in it, at least and at most.
const NAMES_WIDTH: std::ops::RangeInclusive<usize> = 12..=30;
/// Names listed with a reason.
const NAMES: usize = 4;
/// Freed nodes that are listed.
const FREED: usize = 6;

/// How results are written: [`Format`], or the patches alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RightsizeFormat {
    /// As any result.
    Plain(Format),
    /// Kubernetes patches, one YAML document each.
    Patch,
}

/// The result in a format.
///
/// # Errors
/// When a writer fails, which a disk that is full cannot cause here.
pub fn rightsize(it: &Rightsized, format: RightsizeFormat) -> Result<String> {
    match format {
        RightsizeFormat::Plain(Format::Table) => Ok(terminal(it)),
        RightsizeFormat::Plain(Format::Json) => rightsize_json(it),
        RightsizeFormat::Plain(Format::Csv) => rightsize_csv(it),
        RightsizeFormat::Plain(Format::Markdown) => Ok(markdown(it)),
        RightsizeFormat::Patch => {
            let patches = patches::patches(it);
            let texts: Vec<&str> = patches.files.iter().map(|(_, text)| text.as_str()).collect();
            Ok(if texts.is_empty() {
                "# no patch: no workload of the scenario is known by its Kubernetes name\n".into()
            } else {
                texts.join("---\n")
            })
        }
    }
}

/// What a row is about, as one name.
pub(super) fn label(row: &FittedRow) -> String {
    let fitting = &row.fitting;
    match fitting.shape {
        Some(shape) => format!("{} #{}", fitting.workload, shape + 1),
        None => fitting.workload.clone(),
    }
}

/// Decimals for amounts of which this is the largest.
pub(super) fn places(it: &Rightsized) -> u32 {
    let amounts = [it.total.request, it.total.node, it.total.cash];
    let largest = amounts.into_iter().map(|m| it.monthly(m).pico().unsigned_abs()).max();
    if largest.is_some_and(|m| m >= 1_000_000_000_000_000) { 0 } else { 2 }
}

/// `500m → 230m`, or what is requested where it stays.
pub(super) fn change(advice: &Advice) -> String {
    let now = quantity(advice.resource, advice.current.request);
    match advice.request {
        Ok(new) if advice.is_edit() => {
            format!("{now} → {}", advice.resource.quantity(new))
        }
        _ => now,
    }
}

/// The larger share of the time above the requests that would be in force.
pub(super) fn risk(row: &FittedRow) -> Option<f64> {
    let of = |a: &Advice| a.above_request;
    [of(&row.fitting.cpu), of(&row.fitting.memory)].into_iter().flatten().reduce(f64::max)
}

/// A reason for which advice is withheld.
pub(super) struct Reason {
    /// Its code.
    pub(super) code: &'static str,
    /// What to do about it.
    pub(super) remedy: &'static str,
    /// Which requests: row, resource, what was found.
    pub(super) of: Vec<(String, Resource, String)>,
}

/// Reasons for which advice is withheld, by code.
pub(super) fn reasons(it: &Rightsized) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for row in &it.rows {
        for (resource, why) in row.fitting.withheld() {
            let entry = (label(row), resource, why.text());
            if let Some(reason) = reasons.iter_mut().find(|r| r.code == why.code()) {
                reason.of.push(entry);
            } else {
                let of = vec![entry];
                reasons.push(Reason { code: why.code(), remedy: why.remedy(), of });
            }
        }
    }
    reasons.sort_by_key(|r| r.code);
    reasons
}

/// Names of edits, the first few.
pub(super) fn names(it: &Rightsized, edits: &[usize], most: usize) -> String {
    let mut names: Vec<String> =
        edits.iter().filter_map(|e| it.rows.get(*e)).take(most).map(label).collect();
    if edits.len() > most {
        names.push(format!("{} more", edits.len() - most));
    }
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// What a freed node is called.
pub(super) fn freed(it: &Rightsized, node: &FreedNode) -> String {
    let nodes = crate::nouns::counted(node.freed, "node");
    match node.pool.and_then(|p| it.pools.get(p)) {
        Some(pool) if it.pools.len() == 1 => format!("{nodes} of pool {}", pool.name),
        Some(pool) => format!("{nodes}, now of pool {}", pool.name),
        None => format!("{nodes} on average"),
    }
}

/// What becomes of the nodes of fixed pools, a sentence each.
pub(super) fn pools(it: &Rightsized) -> Vec<String> {
    let whole = &it.whole_nodes;
    let mut out = Vec::new();
    for (i, pool) in it.pools.iter().enumerate() {
        let of = |counts: &Option<Vec<u32>>| counts.as_ref().and_then(|c| c.get(i).copied());
        let say =
            |n: Option<u32>| n.map_or_else(|| "no number of them".to_owned(), |n| n.to_string());
        let kept = if pool.shrinks { "" } else { " (kept)" };
        out.push(format!(
            "Fixed pool {}{kept}: {} today; today's requests need {}, the new ones {}",
            pool.name,
            crate::nouns::counted(pool.count, "node"),
            say(of(&whole.today)),
            say(of(&whole.fitted)),
        ));
    }
    out
}

/// At most so many characters, cut in the middle: names of workloads begin
/// with their namespace and end with what tells them apart.
fn middled(name: &str, most: usize) -> String {
    let n = name.chars().count();
    if n <= most || most < 6 {
        return text::shortened(name, most);
    }
    let end = (most - 1) * 2 / 3;
    let head: String = name.chars().take(most - 1 - end).collect();
    let tail: String = name.chars().skip(n - end).collect();
    format!("{head}…{tail}")
}

/// How a table is laid out.
struct Layout {
    style: TableStyle,
    /// Rows before the rest is summed.
    rows: usize,
    /// Characters of a name; `None` as many as it has, for Markdown.
    name: Option<usize>,
}

fn table(it: &Rightsized, layout: &Layout) -> Table {
    let mut table = Table::new();
    table.load_style(layout.style);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["workload", "cpu", "memory", "request $", "node $", "cash $", "risk"]);
    let places = places(it);
    let amounts = |d: Dollars| {
        let shown = |m| text::usd(it.monthly(m), places).replacen('$', "", 1);
        [Some(d.request), it.billed(d.node), it.billed(d.cash)]
            .map(|m| m.map_or_else(|| "–".to_owned(), shown))
    };
    let name = |name: &str, pods: &str| match layout.name {
        None => text::markdown_cell(&format!("{name}{pods}")),
        Some(most) => {
            let room = most.saturating_sub(pods.chars().count());
            format!("{}{pods}", middled(&text::name(name), room))
        }
    };
    let tight = |advice: &Advice| match layout.name {
        None => change(advice),
        Some(_) => change(advice).replace(" → ", "→"),
    };
    let shown = it.notable(layout.rows);
    for row in &shown {
        let pods = text::mean_count((row.mean_pods * 10.0).round() / 10.0);
        let [request, node, cash] = amounts(row.saved);
        table.add_row([
            name(&label(row), &format!(" ×{pods}")),
            tight(&row.fitting.cpu),
            tight(&row.fitting.memory),
            request,
            node,
            cash,
            risk(row).map_or_else(|| "–".to_owned(), text::percent),
        ]);
    }
    let hidden =
        shown.iter().fold(Rightsized::sum(&it.rows, Dollars::default()), |all, row| Dollars {
            request: all.request - row.saved.request,
            node: all.node - row.saved.node,
            cash: all.cash - row.saved.cash,
        });
    let more = it.rows.len().saturating_sub(layout.rows);
    let mut sum = |what: String, saved: Dollars| {
        let [request, node, cash] = amounts(saved);
        let none = String::new;
        table.add_row([what, none(), none(), request, node, cash, none()]);
    };
    if more > 0 {
        sum(format!("… {more} more"), hidden);
    }
    if it.rest != Dollars::default() && it.undone.is_empty() {
        sum("no workload".to_owned(), it.rest);
    }
    sum("total saved".to_owned(), it.total);
    for column in 3..=6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Freed nodes, of several that the same edits free only the last.
pub(super) fn sets(it: &Rightsized) -> impl Iterator<Item = &FreedNode> {
    let all = &it.whole_nodes.freed;
    all.iter().enumerate().filter_map(|(i, node)| {
        let next = all.get(i + 1);
        let same = next.is_some_and(|n| n.edits == node.edits && n.pool == node.pool);
        (!same).then_some(node)
    })
}

fn terminal(it: &Rightsized) -> String {
    let rule = LineStyle::none().fill('─').junction('─');
    let style = presets::NOTHING.header_separator(rule);
    let lines = |name: usize| -> Vec<String> {
        let mut table = table(it, &Layout { style, rows: ROWS, name: Some(name) });
        for column in 0..7 {
            if let Some(column) = table.column_mut(column) {
                column.set_padding((0, 1));
            }
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect()
    };
    let fits = |l: &Vec<String>| l.iter().all(|l| l.chars().count() <= WIDTH);
    let shown = NAMES_WIDTH.rev().map(lines).find(fits).unwrap_or_else(|| {
        // Wide amounts leave no room: the end of a line gives way.
        lines(*NAMES_WIDTH.start()).iter().map(|l| text::shortened(l, WIDTH)).collect()
    });
    let mut out = String::new();
    for line in shown {
        out += &line;
        out.push('\n');
    }
    out.push('\n');
    let indent = " ".repeat(10);
    let hours = it.window_ms as f64 / HOUR_MS as f64;
    let note = format!(
        "USD saved a month of 730 h, scaled from {} h{}; risk: time above the new requests",
        text::grouped(hours, usize::from(hours.fract() != 0.0)),
        if it.extrapolated { ", no whole weeks" } else { "" },
    );
    out += &wrapped(&note, "", "");
    out.push('\n');
    for (what, why) in ["requests", "nodes", "cash"].into_iter().zip(it.reasons()) {
        out += &wrapped(&text::name(&why), &format!("{what:<10}"), &indent);
    }
    for line in pools(it) {
        out += &wrapped(&line, &format!("{:<10}", "pool"), &indent);
    }
    for node in sets(it).take(FREED) {
        let n = node.edits.len();
        let line = format!(
            "{} go{} with {n} edit{}: {}",
            freed(it, node),
            if node.freed == 1 { "es" } else { "" },
            if n == 1 { "" } else { "s" },
            names(it, &node.edits, NAMES),
        );
        out += &wrapped(&line, &format!("{:<10}", "frees"), &indent);
    }
    for Reason { code, remedy, of: list } in reasons(it) {
        let named: Vec<String> =
            list.iter().take(NAMES).map(|(n, r, _)| format!("{n} {}", r.name())).collect();
        let more = list.len().saturating_sub(NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let line = format!("{code}: {}{more}; {remedy}", named.join(", "));
        out += &wrapped(&line, &format!("{:<10}", "withheld"), &indent);
    }
    let edits = it.edits().count();
    let money = |m| text::usd(it.monthly(m), places(it));
    let billed = match (it.billed(it.total.node), it.billed(it.total.cash)) {
        (Some(node), Some(cash)) => format!("{} node-dollars, {} cash", money(node), money(cash)),
        _ => format!("node-dollars and cash withheld ({SERVES_LESS})"),
    };
    let line = format!(
        "{edits} of {} sets of pods get new requests; by month {} request-dollars, {billed}",
        it.rows.len(),
        money(it.total.request),
    );
    out.push('\n');
    out + &wrapped(&line, "", "")
}

fn markdown(it: &Rightsized) -> String {
    let layout = Layout { style: presets::ASCII_MARKDOWN, rows: usize::MAX, name: None };
    let table = table(it, &layout);
    let mut out: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    for why in it.reasons() {
        out.extend(["\n", &text::markdown_cell(&why), ".\n"]);
    }
    out
}

/// Row by row, amounts of the billed window: rest and total are rows too.
/// Amounts are empty where they are withheld; the last column says why.
///
/// # Errors
/// None in practice: memory takes everything.
pub fn rightsize_csv(it: &Rightsized) -> Result<String> {
    let failed = |e: csv::Error| Error::failed(format!("cannot write CSV: {e}"));
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> =
        ["workload", "namespace", "kind", "shape", "mean_pods", "observed_pods"]
            .map(str::to_owned)
            .to_vec();
    for r in ["cpu", "memory"] {
        for column in [
            "request",
            "advice",
            "limit",
            "new_limit",
            "used_mean",
            "used_p50",
            "used_p95",
            "used_p99",
            "used_max",
            "share_above_request",
            "share_above_advice",
            "share_above_limit",
            "withheld",
            "cautions",
        ] {
            header.push(format!("{r}_{column}"));
        }
    }
    header.extend(["request_usd", "node_usd", "cash_usd", "usd_withheld"].map(str::to_owned));
    csv.write_record(&header).map_err(failed)?;
    let money = |d: Dollars| {
        let text = |m: Option<Money>| m.map(|m| m.to_string()).unwrap_or_default();
        let why = if it.undone.is_empty() { "" } else { SERVES_LESS };
        [d.request.to_string(), text(it.billed(d.node)), text(it.billed(d.cash)), why.to_owned()]
    };
    for row in &it.rows {
        let f = &row.fitting;
        let mut cells = vec![
            text::csv_cell(&f.workload),
            text::csv_cell(&f.namespace),
            kind(f.kind).to_owned(),
            f.shape.map_or_else(String::new, |s| (s + 1).to_string()),
            format!("{:.3}", row.mean_pods),
            f.observed.to_string(),
        ];
        for resource in Resource::ALL {
            let a = f.advice(resource);
            let request =
                |amount: Option<i64>| amount.map_or_else(String::new, |n| resource.quantity(n));
            let used = a.quantiles.map_or_else(
                || vec![String::new(); 5],
                |q| {
                    [q.mean, q.p50, q.p95, q.p99, q.max]
                        .map(|u| usage_quantity(resource, u))
                        .to_vec()
                },
            );
            let share = |s: Option<f64>| s.map_or_else(String::new, |s| format!("{s:.6}"));
            cells.extend([
                request(a.current.request),
                request(a.request.ok()),
                request(a.current.limit),
                request(a.limit),
            ]);
            cells.extend(used);
            cells.extend([share(a.above_current), share(a.above_request), share(a.above_limit)]);
            cells.push(a.request.err().map_or("", |w| w.code()).to_owned());
            let cautions: Vec<&str> = a.cautions.iter().map(|c| c.code()).collect();
            cells.push(cautions.join(" "));
        }
        cells.extend(money(row.saved));
        csv.write_record(&cells).map_err(failed)?;
    }
    for (name, saved) in [("(of no workload)", it.rest), ("(total)", it.total)] {
        let mut cells = vec![String::new(); header.len() - 4];
        name.clone_into(&mut cells[0]);
        cells.extend(money(saved));
        csv.write_record(&cells).map_err(failed)?;
    }
    let bytes = csv.into_inner().map_err(|e| Error::failed(format!("cannot write CSV: {e}")))?;
    String::from_utf8(bytes).map_err(|_| Error::failed("a name is no text"))
}

fn kind(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::Batch => "trace",
        WorkloadKind::Service => "service",
        WorkloadKind::Daemon => "daemonset",
    }
}

/// Everything there is, with stable keys; amounts are exact decimal strings.
///
/// # Errors
/// None in practice.
pub fn rightsize_json(it: &Rightsized) -> Result<String> {
    serde_json::to_string_pretty(&document(it))
        .map(|s| s + "\n")
        .map_err(|e| Error::failed(format!("cannot write JSON: {e}")))
}

fn document(it: &Rightsized) -> Value {
    let dollars = |d: Dollars| json!({ "request": d.request, "node": it.billed(d.node), "cash": it.billed(d.cash) });
    let month = |d: Dollars| Dollars {
        request: it.monthly(d.request),
        node: it.monthly(d.node),
        cash: it.monthly(d.cash),
    };
    let policy = &it.policy;
    let whole = &it.whole_nodes;
    let count =
        |counts: &Option<Vec<u32>>, i: usize| counts.as_ref().and_then(|c| c.get(i).copied());
    let bill = |b: &crate::advise::TwoBills| json!({ "list_usd": b.list, "net_usd": b.net, "mean_nodes": b.nodes });
    json!({
        "schema_version": SCHEMA_VERSION,
        "plimsoll_version": env!("CARGO_PKG_VERSION"),
        "scenario": it.scenario,
        "baseline": it.baseline,
        "case": it.case,
        "seed": it.seed,
        "window_hours": it.window_ms as f64 / HOUR_MS as f64,
        "policy": {
            "cpu": policy.cpu.to_string(),
            "memory": policy.memory.to_string(),
            "method": match policy.method {
                Method::Pooled => "pooled",
                Method::PerPodMax => "per-pod-max",
                Method::Vpa => "vpa",
            },
            "floor": { "cpu": policy.floor.0, "memory": policy.floor.1 },
            "ceiling": { "cpu": policy.ceiling.0, "memory": policy.ceiling.1 },
            "round": { "cpu": policy.round.0, "memory": policy.round.1 },
            "limits": match policy.limits {
                LimitRule::Ratio => "keep-ratio",
                LimitRule::Keep => "keep",
            },
            "absent_requests": match policy.absent_requests {
                AbsentRequests::Set => "set",
                AbsentRequests::Keep => "keep",
            },
            "min_samples": policy.min_samples,
            "min_history_hours": policy.min_history.0 as f64 / HOUR_MS as f64,
            "min_coverage": policy.min_coverage,
        },
        "unit_prices": {
            "usd_per_vcpu_hour": it.prices.vcpu_hour.to_string(),
            "usd_per_gib_hour": it.prices.gib_hour.to_string(),
        },
        "saved_usd": dollars(it.total),
        "saved_usd_per_month": dollars(month(it.total)),
        "month_is_extrapolated": it.extrapolated,
        "saved_usd_of_no_workload": dollars(it.rest),
        "why": it.reasons(),
        "withheld": it.withheld().map(|why| json!({
            "code": SERVES_LESS,
            "found": why,
            "workloads": it.undone.iter().map(|u| json!({
                "workload": u.workload, "pods_without_a_place": u.pods, "found": u.text,
            })).collect::<Vec<_>>(),
        })),
        "bills": {
            "today": bill(&it.bills.0),
            "rightsized": it.undone.is_empty().then(|| bill(&it.bills.1)),
        },
        "fixed_pools": it.pools.iter().enumerate().map(|(i, p)| json!({
            "name": p.name,
            "nodes": p.count,
            "kept": !p.shrinks,
            "fewest_with_todays_requests": count(&whole.today, i),
            "fewest_with_new_requests": count(&whole.fitted, i),
        })).collect::<Vec<_>>(),
        "freed_nodes": whole.freed.iter().map(|f| json!({
            "pool": f.pool.and_then(|p| it.pools.get(p)).map(|p| &p.name),
            "nodes": f.freed,
            "edits": f.edits.iter().filter_map(|e| it.rows.get(*e)).map(label).collect::<Vec<_>>(),
            "list_usd": f.list,
        })).collect::<Vec<_>>(),
        "search": { "simulations": whole.trials, "complete": !whole.cut_off },
        "workloads": it.rows.iter().map(|row| {
            let f = &row.fitting;
            json!({
                "workload": f.workload,
                "namespace": f.namespace,
                "kind": kind(f.kind),
                "shape": f.shape.map(|s| s + 1),
                "mean_pods": row.mean_pods,
                "observed_pods": f.observed,
                "cpu": advice(&f.cpu),
                "memory": advice(&f.memory),
                "containers": f.containers.iter().filter(|c| !c.name.is_empty()).map(|c| json!({
                    "name": c.name, "cpu": advice(&c.cpu), "memory": advice(&c.memory),
                })).collect::<Vec<_>>(),
                "saved_usd": dollars(row.saved),
            })
        }).collect::<Vec<_>>(),
        "left_out": it.left_out,
    })
}

fn advice(a: &Advice) -> Value {
    let amount = |n: Option<i64>| n.map(|n| a.resource.quantity(n));
    json!({
        "request": amount(a.current.request),
        "advice": amount(a.request.ok()),
        "limit": amount(a.current.limit),
        "new_limit": amount(a.limit),
        "used": a.quantiles.map(|q| {
            let used = |u| usage_quantity(a.resource, u);
            json!({
                "mean": used(q.mean), "p50": used(q.p50), "p95": used(q.p95),
                "p99": used(q.p99), "max": used(q.max),
            })
        }),
        "share_above_request": a.above_current,
        "share_above_advice": a.above_request,
        "share_above_limit": a.above_limit,
        "lower_bound": amount(a.bounds.map(|b| b.0)),
        "upper_bound": amount(a.bounds.map(|b| b.1).filter(|b| *b < i64::MAX)),
        "samples": a.samples,
        "cautions": a.cautions.iter().map(|c| Caution::code(*c)).collect::<Vec<_>>(),
        "withheld": a.request.err().map(|w| json!({
            "code": w.code(), "found": w.text(), "remedy": w.remedy(),
        })),
    })
}

#[cfg(test)]
pub(super) mod sample {
    use super::*;
    use crate::advise::{FixedPool, TwoBills, UnitPrices, WholeNodes};
    use crate::units::Rate;
    use crate::workload::rightsize::{
        ContainerFitting, Current, Fitting, Policy, Quantiles, Withheld,
    };

    pub(in crate::report) fn dollars(text: &str) -> Money {
        text.parse().expect("a decimal")
    }

    pub(in crate::report) fn advised(resource: Resource, now: Option<i64>, new: i64) -> Advice {
        let mut advice = Advice::withheld(
            resource,
            Current { request: now, limit: now.map(|n| 2 * n) },
            Withheld::NoUsage,
        );
        advice.request = Ok(new);
        advice.limit = Some(2 * new);
        advice.quantiles = Some(Quantiles { mean: 1, p50: 2, p95: 3, p99: 4, max: 5 });
        advice.above_current = Some(0.25);
        advice.above_request = Some(0.05);
        advice.samples = 24;
        advice
    }

    fn row(workload: &str, kind: WorkloadKind, cpu: Advice, memory: Advice) -> FittedRow {
        FittedRow {
            fitting: Fitting {
                workload: workload.to_owned(),
                kind,
                namespace: "shop".to_owned(),
                shape: (kind == WorkloadKind::Batch).then_some(0),
                pods: 2,
                observed: 2,
                controller: None,
                owner: None,
                containers: vec![ContainerFitting {
                    name: String::new(),
                    cpu: cpu.clone(),
                    memory: memory.clone(),
                }],
                cpu,
                memory,
                run_ms: None,
            },
            mean_pods: 2.0,
            saved: Dollars { request: dollars("10.5"), node: dollars("4"), cash: dollars("1") },
        }
    }

    /// A made-up rightsizing: figures are invented, sums are right.
    pub(in crate::report) fn rightsized(name: &str) -> Rightsized {
        let (cpu, memory) = (Resource::Cpu, Resource::Memory);
        let rows = vec![
            row(
                name,
                WorkloadKind::Service,
                advised(cpu, Some(500), 230),
                advised(memory, Some(1 << 30), 3 << 29),
            ),
            row(
                "shop.agent",
                WorkloadKind::Daemon,
                advised(cpu, None, 25),
                Advice::withheld(memory, Current::default(), Withheld::OomRisk),
            ),
            row(
                "batch",
                WorkloadKind::Batch,
                advised(cpu, Some(1_000), 200),
                Advice::withheld(memory, Current::default(), Withheld::NoUsage),
            ),
        ];
        let rest = Dollars { request: Money::ZERO, node: dollars("-1"), cash: dollars("0.5") };
        let bill = |list: &str, net: &str, nodes: f64| TwoBills {
            list: dollars(list),
            net: dollars(net),
            nodes,
            ..TwoBills::default()
        };
        Rightsized {
            scenario: name.to_owned(),
            baseline: "today".to_owned(),
            case: "rightsized".to_owned(),
            seed: 1,
            window_ms: 168 * HOUR_MS,
            extrapolated: false,
            policy: Policy::default(),
            prices: UnitPrices {
                vcpu_hour: Rate::from_pico(20_000_000_000),
                gib_hour: Rate::from_pico(4_000_000_000),
            },
            total: Rightsized::sum(&rows, rest),
            rows,
            rest,
            left_out: vec![name.to_owned()],
            bills: (bill("40", "30", 5.0), bill("29", "26.5", 3.5)),
            committed: true,
            pools: vec![FixedPool {
                name: "workers".to_owned(),
                count: 5,
                shrinks: true,
                hourly: Rate::from_pico(1),
            }],
            elastic: false,
            whole_nodes: WholeNodes {
                today: Some(vec![5]),
                fitted: Some(vec![4]),
                freed: vec![FreedNode {
                    pool: Some(0),
                    freed: 1,
                    edits: vec![0, 2],
                    list: dollars("32"),
                }],
                trials: 9,
                cut_off: false,
            },
            undone: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::charts::tests::EVIL;
    use super::sample::{dollars, rightsized};
    use super::*;
    use crate::advise::Undone;

    #[test]
    fn columns_add_up_and_scale_to_a_month() {
        let it = rightsized("web");
        assert_eq!(it.total.request, dollars("31.5"));
        assert_eq!((it.total.node, it.total.cash), (dollars("11"), dollars("3.5")));
        // 168 h to 730 h: × 4.345238.
        assert_eq!(it.monthly(dollars("16.8")), dollars("73"));
        let [_, nodes, cash] = it.reasons();
        assert!(nodes.contains("1.5 of 5.0 nodes go"), "{nodes}");
        assert!(cash.contains("committed to"), "{cash}");
    }

    #[test]
    fn as_many_nodes_may_cost_more_or_less() {
        let mut it = rightsized("web");
        for (node, nodes, words) in [
            ("-1", 5.0, "5.0 nodes after today's 5.0, but dearer ones"),
            ("-1", 4.0, "4.0 nodes after today's 5.0, but dearer ones"),
            ("1", 5.0, "5.0 nodes after today's 5.0, but cheaper ones"),
            ("0", 5.0, "Not one node goes"),
            ("-1", 6.0, "need 1.0 nodes more"),
        ] {
            it.total.node = dollars(node);
            it.bills.1.nodes = nodes;
            let [_, why, _] = it.reasons();
            assert!(why.contains(words), "{why}");
        }
    }

    #[test]
    fn a_cluster_that_does_less_saves_nothing() {
        let mut it = rightsized(EVIL);
        let text = format!("{EVIL}: 10 pods more than today find no place");
        it.undone = vec![Undone { workload: EVIL.to_owned(), pods: 10.0, text }];
        let shown = terminal(&it);
        assert!(shown.lines().all(|l| l.chars().count() <= WIDTH), "{shown}");
        let total = shown.lines().find(|l| l.starts_with("total saved")).expect("a total");
        assert_eq!(
            total.split_whitespace().collect::<Vec<_>>(),
            ["total", "saved", "136.88", "–", "–"]
        );
        for words in ["Withheld, serves-less", "10 pods", "cash withheld (serves-less)"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert!(!shown.contains("nodes go") && !shown.contains('\u{202E}'), "{shown}");
        let csv = rightsize_csv(&it).expect("CSV");
        assert!(csv.trim_end().ends_with(",31.5,,,serves-less"), "{csv}");
        let json: Value = serde_json::from_str(&rightsize_json(&it).expect("JSON")).expect("JSON");
        for at in ["/saved_usd/node", "/saved_usd/cash", "/saved_usd_per_month/cash"] {
            assert!(json.pointer(at).expect("a key").is_null(), "{at}");
        }
        assert!(json["workloads"][0]["saved_usd"]["node"].is_null());
        assert!(json["bills"]["rightsized"].is_null());
        assert_eq!(json["withheld"]["code"], "serves-less");
        assert_eq!(json["withheld"]["workloads"][0]["pods_without_a_place"], 10.0);
        assert!(!markdown(&it).contains("<script>"));
    }

    #[test]
    fn every_format_holds_odd_names() {
        let it = rightsized(EVIL);
        let shown = terminal(&it);
        assert!(shown.lines().all(|l| l.chars().count() <= WIDTH), "{shown}");
        assert!(shown.contains("1 node of pool workers goes with 2 edits"), "{shown}");
        let csv = rightsize_csv(&it).expect("CSV");
        let mut lines = csv::Reader::from_reader(csv.as_bytes());
        let rows: Vec<csv::StringRecord> = lines.records().map(|r| r.expect("a row")).collect();
        assert_eq!(rows.len(), 5);
        assert!(!csv.contains('\u{202E}'));
        let json: Value = serde_json::from_str(&rightsize_json(&it).expect("JSON")).expect("JSON");
        assert_eq!(json["workloads"][0]["workload"], EVIL);
        assert_eq!(json["freed_nodes"][0]["edits"][1], "batch #1");
        assert_eq!(json["workloads"][1]["memory"]["withheld"]["code"], "oom-risk");
        assert!(!markdown(&it).contains("<script>"));
    }

    #[test]
    fn long_names_keep_both_ends_and_large_moves_both_directions() {
        // Twelve characters beside the dots: four, then eight.
        assert_eq!(middled("openshift-monitoring.prometheus", 13), "open…ometheus");
        assert_eq!(middled("web", 13), "web");
        let mut it = rightsized("web");
        it.rows[2].saved.request = dollars("-99");
        let names: Vec<String> = it.notable(2).into_iter().map(label).collect();
        assert_eq!(names, ["web", "batch #1"]);
    }

    #[test]
    fn what_changes_is_an_arrow() {
        let it = rightsized("web");
        assert_eq!(change(&it.rows[0].fitting.cpu), "500m → 230m");
        assert_eq!(change(&it.rows[0].fitting.memory), "1Gi → 1536Mi");
        assert_eq!(change(&it.rows[1].fitting.cpu), "none → 25m");
        assert_eq!(change(&it.rows[2].fitting.memory), "none");
    }
}
