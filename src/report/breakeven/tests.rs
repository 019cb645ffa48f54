//! Break-evens as people and programs get them.

use serde_json::Value;

use super::*;
use crate::advise::breakeven::{
    Breakeven, Caveat, LeftOut, MeasuredPacking, Orchestrator, Priced, Simulated, tests::m6i,
};
use crate::report::charts::tests::{EVIL, assert_well_formed};
use crate::report::terminal::WIDTH;
use crate::units::Rate;

fn of(comparisons: Vec<Breakeven>) -> Breakevens {
    Breakevens {
        simulated: None,
        region: "us-east-1".to_owned(),
        orchestrator: Orchestrator::Eks,
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
    // 7.91 vCPU hold one of 4 vCPU.
    let large = of(vec![m6i(4_000, 1_024, (4_000, 8_192))]);
    let shown = breakeven(&large, Format::Table).expect("text");
    assert!(shown.contains("full     1 pod: no more cpu then"), "{shown}");
}

#[test]
fn what_is_run_is_judged() {
    let mut b = m6i(100, 256, (250, 512));
    let shown =
        |it: Vec<Breakeven>| breakeven(&of(it), Format::Table).expect("text").replace('\n', " ");
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
    it.simulated = Some(Simulated { scenario: EVIL.to_owned(), case: EVIL.to_owned(), seed: 1 });
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

/// What stays keeps nodes, whose number nobody knows: no verdict of dollars,
/// neither of the pool nor of all.
#[test]
fn what_stays_is_no_saving() {
    let mut b = m6i(100, 256, (250, 512));
    b.measured = Some(MeasuredPacking { pods_per_node: 20.0, node_hours: 100.0 });
    b.left_out = vec![LeftOut { reason: "fargate-ebs-volume".to_owned(), share: 0.25 }];
    let gpu =
        |count| Caveat::Accelerators { kind: EVIL.to_owned(), count, name: "a10g GPU".to_owned() };
    b.caveats = vec![gpu(1), gpu(8), Caveat::OnAmd64("m7g.large".to_owned())];
    b.fargate.push(Priced { plan: Some("p".to_owned()), ..b.fargate[0].clone() });
    let it = of(vec![b.clone(), b]);
    let shown = breakeven(&it, Format::Table).expect("text");
    assert!(shown.lines().all(|l| l.chars().count() <= WIDTH), "{shown}");
    assert!(!shown.contains('\u{202E}'), "{shown}");
    let flat: Vec<&str> = shown.split_whitespace().collect();
    let flat = flat.join(" ");
    for words in [
        "25 % of pod-hours, which stay: Fargate attaches no EBS volumes to pods",
        "carries 20 of these pods",
        "beside those that stay",
        "has 1 a10g GPU:",
        "has 8 a10g GPUs:",
        "m7g.large is arm64",
        "no rate of p is known for",
    ] {
        assert!(flat.contains(words), "{words}: {shown}");
    }
    for words in ["would cost", "All pools"] {
        assert!(!flat.contains(words), "{words}: {shown}");
    }
    let json: Value =
        serde_json::from_str(&breakeven(&it, Format::Json).expect("text")).expect("JSON");
    assert_eq!(json["comparisons"][0]["notes"].as_array().map(Vec::len), Some(3));
    assert_eq!(json["comparisons"][0]["left_out"][0]["reason"], "fargate-ebs-volume");
    let markdown = breakeven(&it, Format::Markdown).expect("text");
    assert!(markdown.contains("a10g") && !markdown.contains("<script"), "{markdown}");
}

/// Nodes as bought cost what they cost On-Demand: one curve with both names.
#[test]
fn equal_prices_are_one_curve() {
    let mut b = m6i(100, 256, (250, 512));
    let bought = Priced { option: "as bought".to_owned(), ..b.ec2[0].clone() };
    b.ec2.insert(0, bought);
    let (_, svg) = breakeven_charts(&of(vec![b])).remove(0);
    assert_well_formed(&svg);
    assert!(svg.contains("as bought, on-demand") && svg.contains("31.1 pods"), "{svg}");
    assert_eq!(svg.matches("31.1 pods").count(), 1);
}
