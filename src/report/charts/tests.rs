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
