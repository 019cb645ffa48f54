//! The page as a whole: sums, escaping, awkward studies.

use super::page;
use crate::advise::Verdict;
use crate::report::charts::tests::{EVIL, assert_well_formed};
use crate::report::figures::{Bridge, chart_files, waterfall_rows};
use crate::report::{sample, text};
use crate::sweep::{CaseStudy, Study};
use crate::units::Money;

fn of(study: &Study) -> String {
    page(study, Verdict::of(study).as_ref())
}

/// What must hold for any page.
fn assert_sound(html: &str) {
    assert!(!html.to_lowercase().contains("<script"), "a script got through");
    for external in ["src=", "@import", "url(", "javascript:", "https://"] {
        assert!(!html.contains(external), "{external}");
    }
    assert_eq!(html.matches("http://").count(), html.matches("http://www.w3.org/2000/svg").count());
    for c in html.chars() {
        assert!(!c.is_control() || c == '\n', "{c:?}");
        assert!(!('\u{202A}'..='\u{202E}').contains(&c), "{c:?}");
    }
    let mut rest = html;
    while let Some(at) = rest.find("<svg") {
        let end = rest[at..].find("</svg>").expect("closed") + at + 6;
        assert_well_formed(&rest[at..end]);
        rest = &rest[end..];
    }
    for tag in ["table", "tr", "td", "th", "section", "figure", "details", "bdi", "pre", "p", "div"]
    {
        let open =
            html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(open, html.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn the_page_is_sound_and_the_same_every_time() {
    let study = sample::study();
    let html = of(&study);
    assert_sound(&html);
    assert_eq!(html, of(&sample::study()));
    assert!(html.contains("<h1>Choose EC2 Spot with a Savings Plan</h1>"));
    for id in ["workloads", "bridge", "flips", "settings", "evidence", "inputs", "method"] {
        assert!(html.contains(&format!("<h2 id=\"{id}\">")), "{id}");
    }
    assert!(html.contains("simulation noise only"));
}

#[test]
fn sums_shown_are_the_bills() {
    let study = sample::study();
    let html = of(&study);
    for (i, case) in study.cases.iter().enumerate() {
        let bill = &case.detail.as_ref().expect("finished").bill;
        let rows = waterfall_rows(bill);
        assert_eq!(rows.iter().map(|r| r.1).sum::<Money>(), bill.total);
        // What is written adds up to what is written as the total.
        let written: Money = rows.iter().map(|r| r.2).sum();
        assert_eq!(written.human(2), bill.total.human(2));
        assert!(html.contains(&text::usd(bill.total, 2)), "{i}");
        assert!(html.contains(&bill.total.to_string()), "{i}");
        for from in 0..study.cases.len() {
            let bridge = Bridge::between(&study, from, i).expect("finished");
            let exact: Money = bridge.steps.iter().map(|s| s.1).sum();
            assert_eq!(bridge.from + exact, bridge.to);
            let shown: Money = bridge.steps.iter().map(|s| s.2).sum();
            let round = |m: Money| m.human(bridge.places).replace(',', "").parse::<Money>();
            let (a, b) = (round(bridge.from).expect("USD"), round(bridge.to).expect("USD"));
            assert_eq!(a + shown, b);
        }
    }
}

#[test]
fn nothing_a_user_names_gets_out_of_its_place() {
    for name in
        [EVIL, "=1+1", "\"><img src=x onerror=alert(1)>", "--></style><b>", "שלום \u{2066}x", ""]
    {
        let study = sample::named(name);
        let html = of(&study);
        assert!(!html.contains("<img") && !html.contains("<b>--"), "{name}");
        let html = html.replace("src=x", "");
        assert_sound(&html);
        let verdict = Verdict::of(&study);
        let files = chart_files(&study, verdict.as_ref());
        let mut names: Vec<&String> = files.iter().map(|f| &f.0).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), files.len(), "every chart has a file of its own");
        for (file, svg) in &files {
            assert!(file.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{file}");
            assert_well_formed(svg);
        }
    }
}

#[test]
fn awkward_studies_have_a_page() {
    let empty = Study::default();
    assert!(of(&empty).contains("No case was finished"));
    assert_sound(&of(&empty));

    let mut unfinished = sample::study();
    unfinished.complete = false;
    unfinished.cases[2].outcomes = vec![None, None, None];
    unfinished.cases[2].detail = None;
    let html = of(&unfinished);
    assert_sound(&html);
    assert!(html.contains("interrupted: it covers only"));

    let mut alone = sample::study();
    alone.cases.truncate(1);
    alone.cases[0].outcomes.truncate(1);
    alone.seeds.truncate(1);
    let html = of(&alone);
    assert_sound(&html);
    assert!(!html.contains("id=\"bridge\"") && !html.contains("±\u{A0}"));

    let mut zero = sample::scaled(0);
    for case in &mut zero.cases {
        case.detail = Some(crate::sweep::Detail::default());
    }
    assert_sound(&of(&zero));
    assert_sound(&of(&sample::scaled(1_000_000_000)));

    let nameless = Study { cases: vec![CaseStudy::default()], ..Study::default() };
    assert_sound(&of(&nameless));
}

#[test]
fn staying_explains_the_runner_up() {
    let mut study = sample::study();
    study.cases.swap(0, 1);
    let html = of(&study);
    assert!(html.contains("<h1>Stay with EC2 Spot with a Savings Plan</h1>"), "headline");
    assert!(html.contains("Next is EC2 On-Demand"), "runner-up");
    assert!(html.contains("id=\"bridge\""));
}
