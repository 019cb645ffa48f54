//! Break-evens of EC2 against Fargate as a table for people, and as JSON, CSV
//! and Markdown.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::charts::{self, Falling, Ink, Level, Look};
use super::terminal::wrapped;
use super::{Format, text};
use crate::advise::breakeven::{Amount, Breakeven, Breakevens, Crossing, MixPod, Priced, Shares};
use crate::bill::PriceStatus;
use crate::sweep::SCHEMA_VERSION;
use crate::units::{Bytes, MilliCpu, Rate};
use crate::{Error, Result};

/// Characters of a heading in front of its text.
const INDENT: usize = 9;
/// Kinds of pods of a mix that are listed for people.
const PODS: usize = 6;
/// Characters of a way of buying.
const OPTION: usize = 15;

/// Break-evens in a format.
///
/// # Errors
/// None in practice: memory takes everything.
pub fn breakeven(it: &Breakevens, format: Format) -> Result<String> {
    match format {
        Format::Table => Ok(terminal(it)),
        Format::Json => serde_json::to_string_pretty(&document(it))
            .map(|s| s + "\n")
            .map_err(|e| Error::failed(format!("cannot write JSON: {e}"))),
        Format::Csv => csv(it),
        Format::Markdown => Ok(markdown(it)),
    }
}

/// Name and SVG text of the chart of each comparison.
#[must_use]
pub fn breakeven_charts(it: &Breakevens) -> Vec<(String, String)> {
    let one = it.comparisons.len() == 1;
    it.comparisons
        .iter()
        .enumerate()
        .map(|(i, b)| {
            let file =
                if one { "breakeven.svg".into() } else { format!("breakeven-{}.svg", i + 1) };
            (file, chart(it, b, Look::FILE))
        })
        .collect()
}

fn chart(it: &Breakevens, b: &Breakeven, look: Look) -> String {
    let (most, binding) = b.most();
    let curves: Vec<Falling> = b
        .ec2
        .iter()
        .enumerate()
        .map(|(i, p)| Falling {
            label: text::name(&p.option),
            ink: ink(&p.option, i),
            at_full: b.per_pod_hour(p, most),
        })
        .collect();
    let levels: Vec<Level> = b
        .fargate
        .iter()
        .map(|p| Level {
            label: fargate(p),
            ink: if p.plan.is_some() || p.option.contains("spot") {
                Ink::Dashed(3)
            } else {
                Ink::PURPLE
            },
            value: p.per_hour.to_f64(),
        })
        .collect();
    let crossings: Vec<(usize, usize, String)> = b
        .crossings()
        .iter()
        .filter(|c| c.pods < most)
        .map(|c| {
            // Texts at the list price only: more would cover each other.
            let text =
                if c.fargate == 0 { format!("{} pods", pods(c.pods)) } else { String::new() };
            (c.ec2, c.fargate, text)
        })
        .collect();
    let title = format!(
        "{} against Fargate, {} on {}: a pod-hour by packing",
        subject(b),
        it.region,
        it.orchestrator.to_uppercase()
    );
    let axis = format!(
        "pods on a node, as a share of the {} that fit (limited by {})",
        pods(most),
        binding.name()
    );
    let measured = b.measured.map(|m| m.pods_per_node / most);
    charts::breakeven(look, &title, &axis, &curves, &levels, &crossings, measured)
}

/// What nodes are those of.
fn subject(b: &Breakeven) -> String {
    let kind = if b.measured.is_some() { "pool " } else { "" };
    format!("{kind}{}", text::name(&b.subject))
}

fn ink(option: &str, i: usize) -> Ink {
    match option {
        "on-demand" => Ink::BLUE,
        "spot" => Ink::ORANGE,
        "as bought" => Ink::Text,
        "compute-sp-1y" => Ink::GREEN,
        "compute-sp-3y" => Ink::Dashed(2),
        _ => Ink::line(i + 4),
    }
}

fn pods(n: f64) -> String {
    if n >= 100.0 || (n - n.round()).abs() < 1e-6 {
        text::grouped(n, 0)
    } else {
        text::grouped(n, if n < 10.0 { 2 } else { 1 })
    }
}

fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    format!("{:.0} %", share * 100.0)
}

/// Memory for people: whole MiB where it is whole, else GiB.
fn memory(bytes: f64) -> String {
    let mib = bytes / f64::from(1u32 << 20);
    if mib < 1_024.0 {
        return format!("{} MiB", text::grouped(mib, usize::from(mib.fract() > 0.01)));
    }
    let gib = mib / 1_024.0;
    format!("{} GiB", text::grouped(gib, if gib.fract() > 0.005 { 2 } else { 0 }))
}

fn cpu(milli: f64) -> String {
    format!("{} vCPU", trimmed(milli / 1_000.0))
}

/// At most three decimals, none that say nothing.
fn trimmed(value: f64) -> String {
    let text = text::grouped(value, 3);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A rate with the digits it has, at most eight decimals.
fn usd(rate: Rate) -> String {
    let rounded = rate.scale(1, 10_000).pico();
    format!("${}", Rate::from_pico(rounded * 10_000))
}

/// What `rate` looks like in a column.
fn column(rate: Rate) -> String {
    format!("{:.4}", rate.to_f64())
}

fn pod(p: &MixPod) -> String {
    let size = format!(
        "{}, {} GB on Fargate",
        cpu(p.size.cpu.0 as f64),
        trimmed(p.size.memory.0 as f64 / f64::from(1u32 << 30))
    );
    let name = if p.name.is_empty() { String::new() } else { format!("{}: ", text::name(&p.name)) };
    format!("{name}{}, {}: {size}", cpu(p.cpu.0 as f64), memory(p.memory.0 as f64))
}

fn mix(b: &Breakeven) -> Vec<String> {
    let all: i128 = b.mix.iter().map(|p| p.weight).sum();
    let mut by_weight: Vec<&MixPod> = b.mix.iter().collect();
    by_weight.sort_by_key(|p| std::cmp::Reverse(p.weight));
    let mut lines: Vec<String> = by_weight
        .iter()
        .take(PODS)
        .map(|p| {
            let share = p.weight as f64 / all.max(1) as f64;
            if b.mix.len() == 1 { pod(p) } else { format!("{} {}", percent(share), pod(p)) }
        })
        .collect();
    if by_weight.len() > PODS {
        lines.push(format!("and {} kinds more", by_weight.len() - PODS));
    }
    lines
}

fn offer(a: &Amount) -> String {
    format!("{}, {}", cpu(a.cpu), memory(a.memory))
}

/// Beyond this a limit of pods is none.
const UNLIMITED: f64 = 1e6;

fn slots(a: &Amount) -> String {
    if a.pods < UNLIMITED {
        format!(", {} pod slots", pods(a.pods))
    } else {
        ", no limit of pods".to_owned()
    }
}

/// A way of buying Fargate, as people write it.
fn fargate(p: &Priced) -> String {
    let name = text::name(&p.option);
    name.strip_prefix("fargate").map_or(name.clone(), |rest| format!("Fargate{rest}"))
}

fn from(b: &Breakeven, c: &Crossing) -> String {
    match c.cheaper_from {
        Some(n) if c.reachable && b.mix.len() == 1 => format!("{n}"),
        Some(_) if c.reachable => pods(c.pods),
        _ => "never".to_owned(),
    }
}

/// `on-demand`, with a star where its price is not published.
fn starred(p: &Priced) -> String {
    format!("{}{}", text::shortened(&text::name(&p.option), OPTION - 2), star(p))
}

fn star(p: &Priced) -> &'static str {
    if is_weak(p.status) { " *" } else { "" }
}

fn is_weak(status: PriceStatus) -> bool {
    matches!(status, PriceStatus::Representative | PriceStatus::Believed)
}

fn terminal(it: &Breakevens) -> String {
    let mut out = String::new();
    if let Some(s) = &it.simulated {
        let line = format!("scenario {}, case {}, seed {}", s.scenario, s.case, s.seed);
        out += &wrapped(&line, "", "");
        out.push('\n');
    }
    for (i, b) in it.comparisons.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        out += &comparison(it, b);
    }
    out.push('\n');
    out += &wrapped(
        "pods at which a node costs what they cost on Fargate, as shares of: vCPU and memory of \
         the machine; a.cpu, a.mem: what it offers pods (allocatable); slots: pod slots; full: \
         the pods that fit. from: pods from which on the node is cheaper",
        "",
        "",
    );
    if it.comparisons.len() > 1
        && let Some(line) = total(it)
    {
        out.push('\n');
        out += &wrapped(&line, "", "");
    }
    let weak = it.comparisons.iter().flat_map(|b| b.ec2.iter().chain(&b.fargate));
    if weak.into_iter().any(|p| is_weak(p.status)) {
        out.push('\n');
        out += "* at a price that is not published for the item\n";
    }
    out
}

fn comparison(it: &Breakevens, b: &Breakeven) -> String {
    let rest = " ".repeat(INDENT);
    let head = |name: &str| format!("{name:<INDENT$}");
    let line = format!("{} against Fargate, {}, {}", subject(b), it.region, it.orchestrator);
    let mut out = wrapped(&line, "", "");
    let line = format!("{}{}", offer(&b.node.raw), slots(&b.node.raw));
    out += &wrapped(&line, &head("node"), &rest);
    let mut line = format!("{} to pods", offer(&b.node.allocatable));
    if b.node.daemons != Amount::default() {
        let taken = b.node.daemons;
        let plural = if pods(taken.pods) == "1" { "" } else { "s" };
        let (each, n) = (offer(&taken), pods(taken.pods));
        let _ = write!(line, "; {each} of it go to {n} DaemonSet pod{plural}");
    }
    out += &wrapped(&line, &head("offers"), &rest);
    for (i, line) in mix(b).iter().enumerate() {
        out += &wrapped(line, &head(if i > 0 { "" } else { "pods" }), &rest);
    }
    let (most, binding) = b.most();
    let used_up = format!("no more {} then", binding.name());
    let line = if b.mix.len() == 1 {
        format!("{} pods: {used_up}", pods(most))
    } else {
        format!("at most {} pods, by sums of requests: {used_up}", pods(most))
    };
    out += &wrapped(&line, &head("full"), &rest);
    for left in &b.left_out {
        let line = format!("{} of pod-hours, which stay: {}", percent(left.share), left.reason);
        out += &wrapped(&line, &head("left out"), &rest);
    }
    for p in b.ec2.iter().take(1).filter(|p| p.parts.len() > 1) {
        let parts: Vec<String> =
            p.parts.iter().map(|(name, rate)| format!("{name} {}", usd(*rate))).collect();
        let line = format!("{}: {}", p.option, parts.join(" + "));
        out += &wrapped(&line, &head("hour"), &rest);
    }
    let crossings = b.crossings();
    for (f, level) in b.fargate.iter().enumerate() {
        out.push('\n');
        let line = format!("against {}{}", fargate(level), star(level));
        let line = format!("{line} at {} a pod-hour", usd(level.per_hour));
        out += &wrapped(&line, "", "");
        let heads = ["$/hour", "pods", "vCPU", "memory", "a.cpu", "a.mem", "slots", "full", "from"];
        out += &row("nodes bought", &heads.map(str::to_owned));
        for c in crossings.iter().filter(|c| c.fargate == f) {
            let Some(ec2) = b.ec2.get(c.ec2) else { continue };
            let shares = b.shares(c.pods).in_order();
            let [vcpu, memory, a_cpu, a_memory, slots, full] = shares.map(percent);
            let cells = [
                column(ec2.per_hour),
                pods(c.pods),
                vcpu,
                memory,
                a_cpu,
                a_memory,
                slots,
                full,
                from(b, c),
            ];
            out += &row(&starred(ec2), &cells);
        }
    }
    for line in verdicts(b) {
        out.push('\n');
        out += &wrapped(&line, "", "");
    }
    out
}

fn row(name: &str, cells: &[String; 9]) -> String {
    let widths = [8, 6, 6, 6, 6, 6, 6, 6, 6];
    let mut line = format!("{name:<OPTION$}");
    for (cell, width) in cells.iter().zip(widths) {
        let _ = write!(line, " {cell:>width$}");
    }
    line.truncate(line.trim_end().len());
    line + "\n"
}

/// What it comes to, a sentence or two.
fn verdicts(b: &Breakeven) -> Vec<String> {
    let (most, binding) = b.most();
    let crossings = b.crossings();
    let mut lines = Vec::new();
    // The first way of buying each: that in force, or the list prices.
    if let Some(c) = crossings.iter().find(|c| (c.ec2, c.fargate) == (0, 0))
        && let (Some(ec2), Some(fargate)) = (b.ec2.first(), b.fargate.first())
    {
        let s = b.shares(c.pods);
        let shares = shares_in_words(&s);
        let line = if c.reachable {
            format!(
                "A node of {} ({}) costs what {} pods cost on {}: {shares}. With more it is \
                 cheaper, with fewer Fargate is.",
                subject(b),
                ec2.option,
                pods(c.pods),
                self::fargate(fargate)
            )
        } else {
            format!(
                "No packing of {} ({}) beats {}: it would take {} pods a node, and {} fit ({}).",
                subject(b),
                ec2.option,
                self::fargate(fargate),
                c.cheaper_from.map_or_else(
                    || "infinitely many".to_owned(),
                    |n| if b.mix.len() == 1 { n.to_string() } else { pods(c.pods) }
                ),
                pods(most),
                binding.name()
            )
        };
        lines.push(line);
        if let Some(measured) = b.measured {
            lines.push(as_run(b, c, measured.pods_per_node));
        }
    }
    lines
}

fn shares_in_words(s: &Shares) -> String {
    format!(
        "{} of its vCPU, {} of its memory, {} of its pod slots, {} of what fits",
        percent(s.raw_cpu),
        percent(s.raw_memory),
        percent(s.pod_slots),
        percent(s.of_most)
    )
}

/// What is run now against the break-even.
fn as_run(b: &Breakeven, c: &Crossing, pods_now: f64) -> String {
    let (now, even) = (b.shares(pods_now), b.shares(c.pods));
    let times = pods_now / c.pods;
    let verdict = if times >= 1.0 {
        format!("Fargate would cost {} more", percent(times - 1.0))
    } else {
        format!("Fargate would cost {} less", percent(1.0 - times))
    };
    let below = if c.reachable {
        format!("below {}", percent(even.of_most))
    } else {
        "however full they are".to_owned()
    };
    format!(
        "EC2 as you run it is {} full ({} pods a node: {} of vCPU, {} of memory); Fargate is \
         cheaper {below}. {verdict}.",
        percent(now.of_most),
        pods(pods_now),
        percent(now.raw_cpu),
        percent(now.raw_memory),
    )
}

/// All pools together, as bought, against Fargate at list price.
fn total(it: &Breakevens) -> Option<String> {
    let (mut nodes, mut pods) = (0.0, 0.0);
    for b in &it.comparisons {
        let (measured, ec2, fargate) = (b.measured?, b.ec2.first()?, b.fargate.first()?);
        nodes += measured.node_hours * ec2.per_hour.to_f64();
        pods += measured.node_hours * measured.pods_per_node * fargate.per_hour.to_f64();
    }
    (nodes > 0.0).then(|| {
        let (word, share) =
            if pods >= nodes { ("more", pods / nodes - 1.0) } else { ("less", 1.0 - pods / nodes) };
        format!(
            "All pools: nodes cost {} as bought; the same pods on Fargate {}, {} {word}.",
            text::usd_f64(nodes, 2),
            text::usd_f64(pods, 2),
            percent(share)
        )
    })
}

fn failed(e: &dyn std::fmt::Display) -> Error {
    Error::failed(format!("cannot write CSV: {e}"))
}

/// A row per pair of ways of buying; amounts are exact decimals.
fn csv(it: &Breakevens) -> Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "subject",
        "ec2",
        "fargate",
        "node_usd_per_hour",
        "pod_usd_per_hour",
        "node_price_status",
        "pod_price_status",
        "pods",
        "cheaper_from_pods",
        "reachable",
        "share_of_vcpu",
        "share_of_memory",
        "share_of_allocatable_cpu",
        "share_of_allocatable_memory",
        "share_of_pod_slots",
        "share_of_pods_that_fit",
        "pods_that_fit",
        "pods_now",
    ])
    .map_err(|e| failed(&e))?;
    for b in &it.comparisons {
        for c in b.crossings() {
            let (Some(ec2), Some(fargate)) = (b.ec2.get(c.ec2), b.fargate.get(c.fargate)) else {
                continue;
            };
            let number = |v: f64| if v.is_finite() { format!("{v:.6}") } else { String::new() };
            let mut cells = vec![
                text::csv_cell(&b.subject),
                text::csv_cell(&ec2.option),
                text::csv_cell(&fargate.option),
                ec2.per_hour.to_string(),
                fargate.per_hour.to_string(),
                ec2.status.name().to_owned(),
                fargate.status.name().to_owned(),
                number(c.pods),
                c.cheaper_from.map_or_else(String::new, |n| n.to_string()),
                c.reachable.to_string(),
            ];
            cells.extend(b.shares(c.pods).in_order().map(number));
            cells.push(number(b.most().0));
            cells.push(b.measured.map_or_else(String::new, |m| number(m.pods_per_node)));
            csv.write_record(&cells).map_err(|e| failed(&e))?;
        }
    }
    let bytes = csv.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|_| Error::failed("a name is no text"))
}

fn markdown(it: &Breakevens) -> String {
    let mut out = String::from(
        "| nodes | bought | against | pods | vCPU | memory | allocatable cpu | allocatable \
         memory | pod slots | of what fits | cheaper from |\n\
         | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for b in &it.comparisons {
        for c in b.crossings() {
            let (Some(ec2), Some(fargate)) = (b.ec2.get(c.ec2), b.fargate.get(c.fargate)) else {
                continue;
            };
            let names = [&b.subject, &ec2.option, &fargate.option].map(|n| text::markdown_cell(n));
            let shares = b.shares(c.pods).in_order().map(percent);
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                names.join(" | "),
                pods(c.pods),
                shares.join(" | "),
                from(b, &c)
            );
        }
    }
    for b in &it.comparisons {
        for line in verdicts(b) {
            let _ = write!(out, "\n{}\n", text::markdown_cell(&line));
        }
    }
    out
}

fn document(it: &Breakevens) -> Value {
    json!({
        "schema_version": SCHEMA_VERSION,
        "plimsoll_version": env!("CARGO_PKG_VERSION"),
        "scenario": it.simulated.as_ref().map(|s| &s.scenario),
        "case": it.simulated.as_ref().map(|s| &s.case),
        "seed": it.simulated.as_ref().map(|s| s.seed),
        "region": it.region,
        "orchestrator": it.orchestrator,
        "comparisons": it.comparisons.iter().map(one).collect::<Vec<_>>(),
    })
}

fn one(b: &Breakeven) -> Value {
    let amount =
        |a: &Amount| json!({ "vcpu": a.cpu / 1_000.0, "memory_bytes": a.memory, "pods": a.pods });
    let size = |cpu: MilliCpu, memory: Bytes| json!({ "vcpu": cpu.0 as f64 / 1_000.0, "memory_bytes": memory.0 });
    let priced = |p: &Priced| {
        let parts: Vec<Value> = p
            .parts
            .iter()
            .map(|(name, rate)| json!({ "name": name, "usd_per_hour": rate }))
            .collect();
        json!({
            "option": p.option,
            "plan": p.plan,
            "usd_per_hour": p.per_hour,
            "parts": parts,
            "price_status": p.status.name(),
        })
    };
    let shares = |s: Shares| {
        json!({
            "vcpu": s.raw_cpu,
            "memory": s.raw_memory,
            "allocatable_cpu": s.allocatable_cpu,
            "allocatable_memory": s.allocatable_memory,
            "pod_slots": s.pod_slots,
            "pods_that_fit": s.of_most,
        })
    };
    let (most, binding) = b.most();
    json!({
        "subject": b.subject,
        "node": {
            "machine": amount(&b.node.raw),
            "allocatable": amount(&b.node.allocatable),
            "daemonsets": amount(&b.node.daemons),
        },
        "pods": b.mix.iter().map(|p| json!({
            "name": p.name,
            "weight": p.weight.to_string(),
            "requests": size(p.cpu, p.memory),
            "fargate_size": size(p.size.cpu, p.size.memory),
        })).collect::<Vec<_>>(),
        "full_node": { "pods": most, "limit": binding.name() },
        "ec2": b.ec2.iter().map(priced).collect::<Vec<_>>(),
        "fargate": b.fargate.iter().map(priced).collect::<Vec<_>>(),
        "break_even": b.crossings().iter().map(|c| json!({
            "ec2": b.ec2.get(c.ec2).map(|p| &p.option),
            "fargate": b.fargate.get(c.fargate).map(|p| &p.option),
            "pods": c.pods.is_finite().then_some(c.pods),
            "cheaper_from_pods": c.cheaper_from,
            "reachable": c.reachable,
            "shares": c.pods.is_finite().then(|| shares(b.shares(c.pods))),
        })).collect::<Vec<_>>(),
        "left_out": b.left_out.iter().map(|l| json!({
            "reason": l.reason, "share_of_pod_hours": l.share,
        })).collect::<Vec<_>>(),
        "measured": b.measured.map(|m| json!({
            "pods_per_node": m.pods_per_node,
            "node_hours": m.node_hours,
            "shares": shares(b.shares(m.pods_per_node)),
        })),
        "verdict": verdicts(b),
    })
}

#[cfg(test)]
mod tests {
    use super::super::charts::tests::{EVIL, assert_well_formed};
    use super::super::terminal::WIDTH;
    use super::*;
    use crate::advise::breakeven::{LeftOut, MeasuredPacking, Simulated, tests::m6i};

    fn of(comparisons: Vec<Breakeven>) -> Breakevens {
        Breakevens {
            simulated: None,
            region: "us-east-1".to_owned(),
            orchestrator: "eks",
            comparisons,
        }
    }

    #[test]
    fn every_denominator_is_printed() {
        let it = of(vec![m6i(100, 256, (250, 512))]);
        let shown = breakeven(&it, Format::Table).expect("text");
        assert!(shown.lines().all(|l| l.chars().count() <= WIDTH), "{shown}");
        let row = shown.lines().find(|l| l.starts_with("on-demand")).expect("a row");
        let cells: Vec<&str> = row.split_whitespace().filter(|c| *c != "%").collect();
        // 31.11 pods: 256 MiB each of 32,768 and of 30,555.
        let want = ["on-demand", "0.3840", "31.1", "39", "24", "39", "26", "54", "54", "32"];
        assert_eq!(cells, want);
        for words in ["31.1 pods", "39 % of its vCPU", "54 % of its pod slots"] {
            assert!(shown.replace('\n', " ").contains(words), "{words}: {shown}");
        }
        let json: Value =
            serde_json::from_str(&breakeven(&it, Format::Json).expect("text")).expect("JSON");
        let first = &json["comparisons"][0]["break_even"][0];
        assert_eq!(first["cheaper_from_pods"], 32);
        assert_eq!(first["ec2"], "on-demand");
        assert_eq!(json["comparisons"][0]["fargate"][0]["usd_per_hour"], "0.0123425");
    }

    #[test]
    fn what_is_run_is_judged() {
        let mut b = m6i(100, 256, (250, 512));
        let shown = |it: Vec<Breakeven>| {
            breakeven(&of(it), Format::Table).expect("text").replace('\n', " ")
        };
        b.measured = Some(MeasuredPacking { pods_per_node: 20.0, node_hours: 100.0 });
        let one = shown(vec![b.clone()]);
        // 20 of 58 pods; 20 × 0.0123425 = 0.24685 is 36 % less than 0.384.
        for words in ["34 % full", "cheaper below 54 %", "Fargate would cost 36 % less"] {
            assert!(one.contains(words), "{words}: {one}");
        }
        b.measured = Some(MeasuredPacking { pods_per_node: 40.0, node_hours: 50.0 });
        let both = shown(vec![b.clone(), b]);
        // 100 node-hours cost 38.40; 4,000 pod-hours 49.37.
        let total = "nodes cost $38.40 as bought; the same pods on Fargate $49.37, 29 % more";
        assert!(both.contains(total), "{both}");
    }

    #[test]
    fn odd_names_and_nothing_to_win_are_shown() {
        let mut b = m6i(1_000, 2_816, (1_000, 3_072));
        b.subject = EVIL.to_owned();
        b.mix[0].name = EVIL.to_owned();
        b.ec2[1].option = EVIL.to_owned();
        b.left_out = vec![LeftOut { reason: "fargate-extended".to_owned(), share: 0.25 }];
        b.measured = Some(MeasuredPacking { pods_per_node: 2.0, node_hours: 1.0 });
        let mut free = b.clone();
        free.fargate[0].per_hour = Rate::ZERO;
        free.node.raw.pods = f64::from(u32::MAX);
        let mut it = of(vec![b, free]);
        it.simulated =
            Some(Simulated { scenario: EVIL.to_owned(), case: EVIL.to_owned(), seed: 1 });
        for format in [Format::Table, Format::Json, Format::Csv, Format::Markdown] {
            let shown = breakeven(&it, format).expect("text");
            assert!(!shown.contains("NaN") && !shown.contains("inf,"), "{shown}");
            if format == Format::Table {
                assert!(shown.lines().all(|l| l.chars().count() <= WIDTH), "{shown}");
                assert!(!shown.contains('\u{202E}'), "{shown}");
                let flat = shown.replace('\n', " ");
                assert!(flat.contains("would take 8 pods a node, and 7 fit (cpu)"), "{flat}");
            }
            assert!(format != Format::Markdown || !shown.contains("<script"), "{shown}");
        }
        let csv = breakeven(&it, Format::Csv).expect("text");
        let mut rows = csv::Reader::from_reader(csv.as_bytes());
        assert_eq!(rows.records().flatten().count(), 4);
        for (_, svg) in breakeven_charts(&it) {
            assert_well_formed(&svg);
        }
    }
}
