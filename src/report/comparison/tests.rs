//! The plan as it is read: signs, sums, names that try to get out.

use serde_json::Value;

use super::*;
use crate::advise::{CostGroup, MoneyItem, Side};
use crate::report::charts::tests::EVIL;
use crate::sweep::TypeUse;
use crate::units::Money;

fn usd(text: &str) -> Money {
    text.parse().expect("a decimal")
}

fn mean(mean: f64, half_width: f64) -> Estimate {
    Estimate { mean, half_width: Some(half_width), n: 5 }
}

fn measure(name: &str, unit: &'static str, old: f64, new: f64, half: f64) -> Measure {
    Measure {
        name: name.to_owned(),
        unit,
        old: Some(mean(old, 1.0)),
        new: Some(mean(new, 1.0)),
        change: Some(mean(new - old, half)),
        paired: true,
    }
}

fn item(name: &str, old: Option<&str>, new: Option<&str>) -> Item {
    let text = |t: Option<&str>| t.map(str::to_owned);
    Item { name: name.to_owned(), old: text(old), new: text(new), implied: false }
}

/// A comparison in which users named everything alike.
fn sample(name: &str) -> Comparison {
    let side = |seeds: &[u64]| Side {
        scenario: name.to_owned(),
        version: "0.1.0".to_owned(),
        seeds: seeds.to_vec(),
        complete: true,
    };
    let money = |name: &str, old, new| MoneyItem { name: name.to_owned(), old, new };
    Comparison {
        old: side(&[1, 2, 3, 4, 5]),
        new: side(&[1, 2, 3, 4, 5]),
        about: vec![item("scenario", Some(name), Some(name))],
        inputs: vec![item(name, Some(&"ab".repeat(32)), Some(&"cd".repeat(32)))],
        prices: vec![item("ec2-spot", Some("2026-01-01"), Some("2026-07-01"))],
        common: vec![item("pools.a.asg.max", Some("10"), Some("12"))],
        added: vec![name.to_owned()],
        removed: Vec::new(),
        cases: vec![Pair {
            old: name.to_owned(),
            new: name.to_owned(),
            title: name.to_owned(),
            settings: vec![
                item(&format!("workload.{name}"), None, Some(name)),
                Item { implied: true, ..item("pools.b.zones", Some("[a]"), None) },
            ],
            catalog: Vec::new(),
            metrics: vec![
                measure("cost", "USD", 189.076, 208.148, 0.589),
                measure("pending_p95", "s", 150.0, 150.4, 14.0),
                measure("cpu_used_of_requested", "", 0.568, 0.567, 0.0001),
                measure("nodes_peak", "", 43.0, 43.0, 0.0),
            ],
            workloads: vec![(name.to_owned(), vec![measure("pending_p95", "s", 118.0, 7.9, 13.0)])],
            nodes: vec![TypeItem {
                name: name.to_owned(),
                old: None,
                new: Some(TypeUse { launched: 3, node_hours: 12.5 }),
            }],
            cost: vec![CostGroup {
                by: "pool",
                items: vec![
                    money("a", Some(usd("10.004")), Some(usd("9.004"))),
                    money(name, None, Some(usd("1.006"))),
                    money("c", Some(usd("5")), Some(usd("5"))),
                ],
                total: money("total", Some(usd("15.004")), Some(usd("15.01"))),
            }],
        }],
    }
}

fn shown(of: &Comparison, format: Format, all: bool) -> String {
    comparison(of, format, all).expect("written")
}

#[test]
fn a_plan_shows_what_differs_and_how_surely() {
    let text = shown(&sample("prod"), Format::Table, false);
    for line in [
        "  ~ pools.a.asg.max  10 → 12",
        "  ~ prod  abababababab… → cdcdcdcdcdcd…",
        "~ case prod",
        "    + workload.prod  prod",
        "    ~ cost                   $189.08 →    $208.15  +$19.07 ± 0.59 (+10\u{A0}%)",
        "    ≈ pending p95         2 min 30 s → 2 min 30 s  +0.40 s ± 14 s (+0.3\u{A0}%)",
        "    ~ cpu used/requested      56.8 % →     56.7 %  −0.10 ± 0.01 pp",
        "    ~ pending p95  1 min 58 s → 7.9 s  −1 min 50 s ± 13 s (−93\u{A0}%)",
        "    + prod  – → 12.5  +12.5",
        "    ~ a        $10.00 →  $9.00  −$1.00 (−10.0\u{A0}%)",
        "    + prod          – →  $1.01  +$1.01",
        "      1 other   $5.00 →  $5.00",
        "    ~ total    $15.00 → $15.01  +$0.01",
        "+ case prod",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    assert!(!text.contains("nodes, peak") && !text.contains("pools.b.zones"), "{text}");
    let all = shown(&sample("prod"), Format::Table, true);
    assert!(all.contains("      nodes, peak") && all.contains("- pools.b.zones"), "{all}");
    let plan = "Plan: 1 case changed, 1 added, 0 removed, 0 unchanged. prod costs +$19.07";
    assert!(text.contains(plan), "{text}");
    let mut less = sample("prod");
    less.cases[0].metrics[0] = measure("cost", "USD", 28.76, 26.98, 0.1);
    let plan = plan_line(&less);
    assert!(plan.ends_with(" prod saves $1.78 (−6.2\u{A0}%)."), "{plan}");
}

#[test]
fn columns_of_money_add_up_as_shown() {
    let group = &sample("x").cases[0].cost[0];
    let of = |cell: usize| -> Vec<Money> {
        let cells = cost_rows(group, true).into_iter().map(|r| r.cells[cell].clone());
        cells.map(|c| c.trim_start_matches('$').parse().unwrap_or(Money::ZERO)).collect()
    };
    for cell in [0, 1] {
        let amounts = of(cell);
        let (total, parts) = amounts.split_last().expect("rows");
        assert_eq!(parts.iter().copied().sum::<Money>(), *total);
    }
}

#[test]
fn names_stay_in_their_place_and_lines_in_80_columns() {
    let long = "a-case-with-a-name-that-nobody-should-have-chosen ".repeat(4);
    for name in [EVIL, &long, "=1+1", "a|b", "", "日本".repeat(60).as_str()] {
        let of = sample(name);
        for all in [false, true] {
            let text = shown(&of, Format::Table, all);
            for line in text.lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
                assert!(!line.chars().any(char::is_control), "{line:?}");
            }
            let markdown = shown(&of, Format::Markdown, all);
            assert!(!markdown.contains("<script"), "{markdown}");
            let csv = shown(&of, Format::Csv, all);
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            for record in reader.records() {
                let record = record.expect("rectangular");
                let formula = |c: &str| c.starts_with(['=', '+', '@']);
                assert!(!record.iter().any(formula), "{record:?}");
            }
            let json = shown(&of, Format::Json, all);
            let json: Value = serde_json::from_str(&json).expect("JSON");
            let cost = &json["cases"][0]["cost"]["by_pool"]["total"];
            assert_eq!(cost["change"], "0.006");
        }
    }
}

#[test]
fn the_basis_of_intervals_is_said() {
    let mut of = sample("x");
    assert!(pairing(&of).contains("in both; changes are paired by seed, ±"));
    of.new.seeds = vec![4, 5, 6];
    assert!(pairing(&of).contains("paired by the 4 5 in common"));
    of.new.seeds = vec![6, 7];
    assert!(pairing(&of).contains("nothing to pair"));
    (of.old.seeds, of.new.seeds) = (vec![1], vec![1]);
    assert!(pairing(&of).contains("one seed says nothing about noise"));
    let nothing = Comparison { cases: Vec::new(), ..of };
    assert!(shown(&nothing, Format::Table, false).contains("Plan: 0 cases changed"));
}
