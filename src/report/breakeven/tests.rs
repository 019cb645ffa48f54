//! Break-evens as people and programs get them.

use serde_json::Value;

use super::*;
use crate::advise::breakeven::{
    Breakeven, LeftOut, MeasuredPacking, Orchestrator, Simulated, tests::m6i,
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
