//! Every chart with every kind of awkward data.

use super::*;
use crate::units::Money;

/// Tags balanced, attributes quoted, no forbidden characters: enough of XML to
/// catch what drawing and colouring could break.
pub(in crate::report) fn assert_well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        let text = &rest[..at];
        assert!(!text.contains('>'), "stray > in {text:?}");
        rest = &rest[at + 1..];
        // Attribute values may not hold `<` or a bare `>` here.
        let end = rest.find('>').expect("a tag ends");
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        assert!(!tag.contains('<'), "{tag}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closing order");
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap_or(tag));
        }
        if tag.starts_with("style") {
            rest = &rest[rest.find("</style>").expect("style ends")..];
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "left open");
    for (i, _) in xml.match_indices('&') {
        let entity = &xml[i..];
        assert!(
            ["&lt;", "&gt;", "&amp;", "&quot;", "&apos;", "&#39;"]
                .iter()
                .any(|e| entity.starts_with(e)),
            "{:?}",
            entity.chars().take(8).collect::<String>()
        );
    }
    assert!(xml.chars().all(|c| !c.is_control() || c == '\n'), "control characters");
    for word in ["NaN", "inf\"", "inf "] {
        assert!(!xml.contains(word), "{word}");
    }
}

const LOOKS: [Look; 3] = [Look::WIDE, Look::NARROW, Look::FILE];
pub(in crate::report) const EVIL: &str = "<script>alert(\"x\")</script>&'\u{0}\u{202E}=1+1 עברית";

fn check(draw: impl Fn(Look) -> String) {
    for look in LOOKS {
        let svg = draw(look);
        assert_well_formed(&svg);
        assert_eq!(svg, draw(look), "not deterministic");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(!svg.contains("<script"), "markup got through");
        assert!(svg.contains("role=\"img\"") && svg.contains("aria-label=\""));
        assert_eq!(svg.contains("prefers-color-scheme"), look.standalone);
    }
}

fn awkward() -> Vec<Vec<f64>> {
    vec![
        vec![],
        vec![0.0],
        vec![7.0],
        vec![0.0; 50],
        vec![1e300, 1e18, 3.0],
        vec![f64::NAN, f64::INFINITY, -5.0, 2.0],
        (0..20_000).map(|i| f64::from(i % 97)).collect(),
    ]
}

#[test]
fn time_charts_survive_everything() {
    for values in awkward() {
        for (step, end) in
            [(3_600_000, values.len() as i64 * 3_600_000), (0, 0), (i64::MAX, i64::MIN)]
        {
            let time = Steps {
                from_unix_ms: 1_736_121_600_000,
                step_ms: step,
                to_unix_ms: 1_736_121_600_000i64.saturating_add(end),
                warmup_until_unix_ms: Some(1_736_121_600_000 + 7_200_000),
            };
            let axis = Axis { unit: "$ per hour", prefix: "$" };
            let bands = [
                Band { label: EVIL.into(), ink: Ink::BLUE, values: values.clone() },
                Band { label: "spot".into(), ink: Ink::ORANGE, values: vec![1.0, 2.0] },
            ];
            check(|look| stacked(look, EVIL, axis, time, &bands));
            let curves = [
                Curve {
                    label: "a".into(),
                    ink: Ink::BLUE,
                    values: Some(values.clone()),
                    filled: true,
                },
                Curve {
                    label: "used: unknown".into(),
                    ink: Ink::GREEN,
                    values: None,
                    filled: false,
                },
            ];
            check(|look| lines(look, "cpu", axis, time, &curves));
        }
    }
    let axis = Axis { unit: "nodes", prefix: "" };
    assert!(stacked(Look::WIDE, "none", axis, Steps::default(), &[]).contains("nothing to show"));
}

#[test]
fn distributions_survive_everything() {
    for values in awkward() {
        let n = values.len() as f64;
        let curve = Distribution {
            label: EVIL.into(),
            ink: Ink::line(9),
            points: values.iter().enumerate().map(|(i, v)| (*v, (i + 1) as f64 / n)).collect(),
            marks: vec![("p50", 0.5, f64::NAN), ("p95", 0.95, 1e300)],
        };
        check(|look| cdf(look, "pending", "seconds", &[curve.clone(), curve.clone()]));
    }
    check(|look| cdf(look, "pending", "seconds", &[]));
}

#[test]
fn intervals_survive_everything() {
    let row = |mean, half_width| Interval {
        label: EVIL.repeat(3),
        ink: Ink::BLUE,
        mean,
        half_width,
        chosen: true,
    };
    for rows in [
        vec![],
        vec![row(0.0, None)],
        vec![row(5.0, Some(0.0)), row(5.0, Some(f64::NAN))],
        vec![row(f64::NAN, Some(1.0)), row(1e300, Some(1e299)), row(-4.0, None)],
        vec![row(1000.0, Some(1.0)), row(1001.0, Some(2.0))],
    ] {
        check(|look| intervals(look, "cost", &rows));
    }
}

#[test]
fn waterfalls_survive_everything() {
    let money = |pico| Money::from_pico(pico);
    let change = |pico| Bar {
        label: EVIL.into(),
        ink: Ink::ORANGE,
        amount: Amount::Change(money(pico), money(pico)),
    };
    let total =
        |pico| Bar { label: "total".into(), ink: Ink::GREY, amount: Amount::Total(money(pico)) };
    for bars in [
        vec![],
        vec![total(0)],
        vec![change(0), change(0), total(0)],
        vec![total(5), change(-3), change(-4), total(-2)],
        vec![change(i128::from(i64::MAX) * 1_000_000_000), total(1)],
    ] {
        check(|look| waterfall(look, "bridge", true, &[("more", Ink::ORANGE)], &bars));
    }
}

#[test]
fn many_lines_stay_apart() {
    let all: Vec<Ink> = (0..2 * (SERIES - 1)).map(Ink::line).collect();
    for (i, ink) in all.iter().enumerate() {
        assert!(!all[i + 1..].contains(ink), "{ink:?}");
    }
}

#[test]
fn differences_are_told_from_zero() {
    let row = |mean, half_width| Interval {
        label: EVIL.into(),
        ink: Ink::BLUE,
        mean,
        half_width,
        chosen: true,
    };
    let rows = [
        row(-12.0, Some(3.0)),
        row(4.0, None),
        row(f64::NAN, Some(f64::INFINITY)),
        row(1e300, None),
    ];
    check(|look| differences(look, "more or less", &rows));
    check(|look| differences(look, "more or less", &[]));
    let svg = differences(Look::WIDE, "more or less", &rows[..2]);
    for part in ["\u{2212}$12.00 ± 3.00", "+$4.00", ">\u{2212}$10<", "left of 0: cheaper"] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
}

#[test]
fn trade_offs_survive_everything() {
    for values in awkward() {
        let standings = [Standing::Chosen, Standing::Front, Standing::Beaten, Standing::LessWork];
        let points: Vec<Tradeoff> = values
            .iter()
            .take(500)
            .enumerate()
            .map(|(i, v)| Tradeoff {
                label: EVIL.into(),
                cost: *v,
                wait: v * 2.0,
                disruptions: *v,
                standing: standings[i % 4],
            })
            .collect();
        check(|look| pareto(look, EVIL, &points));
    }
    let point = |label: &str, cost, standing| Tradeoff {
        label: label.into(),
        cost,
        wait: 300.0 - cost,
        disruptions: 5.0,
        standing,
    };
    let points = [
        point("dear", 200.0, Standing::Front),
        point("cheap", 100.0, Standing::Chosen),
        point("worse", 210.0, Standing::Beaten),
    ];
    let svg = pareto(Look::WIDE, "t", &points);
    // Numbered from the cheapest on; the beaten one has no name.
    assert!(svg.contains(">1  cheap: $100.00, 3\u{A0}min\u{A0}20\u{A0}s"), "{svg}");
    assert!(svg.contains(">2  dear: $200.00") && !svg.contains("worse"), "{svg}");
}

#[test]
fn grids_survive_everything() {
    for values in awkward() {
        let cells: Vec<Option<Cell>> = values
            .iter()
            .take(40)
            .map(|v| {
                (*v >= 0.0).then(|| Cell {
                    value: *v,
                    text: EVIL.into(),
                    chosen: (*v - 2.0).abs() < 0.5,
                    less_work: *v > 1.0,
                })
            })
            .collect();
        let names: Vec<String> = cells.iter().map(|_| EVIL.to_owned()).collect();
        let grid = Grid {
            columns: (EVIL.into(), names),
            rows: ("rows".into(), vec!["a".into(), String::new()]),
            cells: vec![cells.clone(), cells],
        };
        check(|look| heat(look, EVIL, &grid));
    }
    let cell = |value: f64, chosen| {
        Some(Cell { value, text: format!("${value}"), chosen, less_work: false })
    };
    let grid = Grid {
        columns: ("size".into(), vec!["2".into(), "4".into()]),
        rows: ("plan".into(), vec!["0".into(), "5".into()]),
        cells: vec![vec![cell(10.0, false), cell(20.0, false)], vec![cell(5.0, true), None]],
    };
    let svg = heat(Look::WIDE, "t", &grid);
    // Lowest and highest have the ends of the scale; the missing one a dash.
    assert!(svg.contains("lowest $5, highest $20, chosen plan 5, size 2."), "{svg}");
    assert!(svg.contains("pf-h0") && svg.contains("pf-h6") && svg.contains(">–<"), "{svg}");
    assert!(svg.contains("framed: to choose"));
}

#[test]
fn lines_along_an_axis_survive_everything() {
    for values in awkward() {
        let points: Vec<Option<(f64, Option<f64>)>> = values
            .iter()
            .take(60)
            .map(|v| ((*v - 3.0).abs() > 0.5).then_some((*v, Some(v / 3.0))))
            .collect();
        let names: Vec<String> = (0..points.len()).map(|i| i.to_string()).collect();
        let lines = [
            Along { label: EVIL.into(), ink: Ink::BLUE, points: points.clone(), chosen: Some(1) },
            Along { label: "b".into(), ink: Ink::line(9), points: Vec::new(), chosen: None },
        ];
        for measured in [Measured::Dollars, Measured::Seconds] {
            check(|look| {
                along(
                    look,
                    EVIL,
                    "cost",
                    measured,
                    Over { axis: EVIL, values: &names, ringed: EVIL },
                    &lines,
                )
            });
        }
    }
}

#[test]
fn break_evens_survive_everything() {
    for values in awkward() {
        let curves: Vec<Falling> = values
            .iter()
            .take(60)
            .map(|v| Falling { label: EVIL.into(), ink: Ink::BLUE, at_full: *v })
            .collect();
        let levels: Vec<Level> = values
            .iter()
            .take(5)
            .map(|v| Level { label: EVIL.into(), ink: Ink::PURPLE, value: *v / 2.0 })
            .collect();
        let crossings = [(0, 0, EVIL.to_owned()), (9, 9, String::new()), (1, 0, "x".to_owned())];
        for measured in [None, Some(0.3), Some(f64::NAN), Some(1e9)] {
            check(|look| breakeven(look, EVIL, EVIL, &curves, &levels, &crossings, measured));
        }
    }
}
