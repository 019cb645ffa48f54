//! The page as a whole: sums, escaping, awkward studies.

use super::{page, sweep_page};
use crate::advise::{SweepVerdict, Verdict};
use crate::bill::{CommitmentKind, CommitmentUse};
use crate::report::charts::tests::{EVIL, assert_well_formed};
use crate::report::figures::{Bridge, chart_files};
use crate::report::money_figures::waterfall_rows;
use crate::report::{sample, sweep_chart_files, text};
use crate::sweep::sample::sweep_sample;
use crate::sweep::{CaseStudy, Study, SweepStudy};
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
    assert_nested(html);
}

/// Every element is closed, in order; only void elements are not.
fn assert_nested(html: &str) {
    let (mut rest, mut open) = (html, Vec::new());
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').expect("a tag ends") + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        match tag {
            _ if tag.starts_with('!') || name == "meta" || tag.ends_with('/') => {}
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "before {rest:.80}"),
            _ => open.push(name),
        }
        // What is no markup: a style sheet.
        if tag == "style" {
            rest = &rest[rest.find("</style>").expect("a style sheet ends")..];
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_page_is_sound_and_the_same_every_time() {
    let study = sample::study();
    let html = of(&study);
    assert_sound(&html);
    assert_eq!(html, of(&sample::study()));
    assert!(html.contains("<h1>Choose EC2 Spot with a Savings Plan</h1>"));
    for id in ["workloads", "bridge", "flips", "settings", "money", "evidence", "inputs", "method"]
    {
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
fn money_is_taken_apart_along_every_axis_of_its_case() {
    let mut study = sample::study();
    let (with, without): (Vec<usize>, Vec<usize>) = (0..study.cases.len())
        .partition(|i| study.cases[*i].detail.as_ref().is_some_and(|d| d.commitments.is_some()));
    assert!(!with.is_empty() && !without.is_empty(), "the sample has cases of both kinds");
    let section = |study: &Study| {
        let html = of(study);
        let from = html.find("<h2 id=\"money\">").expect("the section");
        let length = html[from..].find("</section>").expect("its end");
        html[from..from + length].to_owned()
    };
    let html = section(&study);
    for (case, charts) in study.cases.iter().map(|c| (c, chart_files(&study, None))) {
        let file = |what: &str| charts.iter().any(|f| f.0 == format!("{}-{what}.svg", case.name));
        assert!(file("waterfall") && file("allocation") && file("cost"), "{}", case.name);
        let committed = case.detail.as_ref().is_some_and(|d| d.commitments.is_some());
        for what in ["coverage", "utilisation", "commitments"] {
            assert_eq!(file(what), committed, "{} {what}", case.name);
        }
    }
    assert_eq!(html.matches("<h3>Whose it is</h3>").count(), study.cases.len());
    assert_eq!(html.matches("<h3>What commitments did</h3>").count(), with.len());
    for case in &study.cases {
        let bill = &case.detail.as_ref().expect("finished").bill;
        for (name, loaded) in &bill.fully_loaded_by_workload {
            let shown = bill.by_workload.contains_key(name) && html.contains(&text::name(name));
            assert!(*loaded == Money::ZERO || shown, "{name}");
        }
    }
    // A case that was not finished has no bill to take apart.
    for case in &mut study.cases {
        case.detail = None;
    }
    assert!(!of(&study).contains("<h2 id=\"money\">"));
}

#[test]
fn money_is_grouped_as_the_scenario_allocates_it() {
    let mut study = sample::study();
    let detail = study.cases[1].detail.as_mut().expect("finished");
    let bill = std::sync::Arc::make_mut(&mut detail.bill);
    let most = bill.total.scale(3, 4);
    let groups = [("shop<b>".to_owned(), bill.total - most), ("back".to_owned(), most)];
    bill.allocated_by_namespace = groups.iter().cloned().collect();
    bill.by_label.insert("te&am".to_owned(), groups.into_iter().collect());
    let html = of(&study);
    let (_, allocated) = html.split_once("By namespace, allocated").expect("the policy");
    let (allocated, _) = allocated.split_once("</details>").expect("its end");
    assert!(allocated.contains("allocation.by-namespace") && allocated.contains("shop&lt;b&gt;"));
    assert!(!html.contains("By workload, allocated"), "no policy");
    assert_sound(&html);
    let (_, section) = html.split_once("By label <bdi>te&amp;am</bdi>").expect("the label");
    let (section, _) = section.split_once("</details>").expect("its end");
    // The largest first, both together the bill.
    let at = |text: &str| section.find(text).unwrap_or_else(|| panic!("{text}: {section}"));
    assert!(at("<bdi>back</bdi>") < at("shop&lt;b&gt;"));
    assert!(at("allocation.by-label.te&amp;am") < at("75\u{A0}%"));
    assert!(at("25\u{A0}%") < at("100\u{A0}%"));
}

#[test]
fn the_section_on_money_says_how_it_counts_and_what_decides() {
    let mut study = sample::study();
    for detail in study.cases.iter_mut().filter_map(|c| c.detail.as_mut()) {
        let with = detail.commitments.is_some();
        let bill = std::sync::Arc::make_mut(&mut detail.bill);
        // 30 of 40 used; 45 of the bill's size covered.
        let dollars = |n: i128| Money::from_pico(n * 1_000_000_000_000);
        bill.commitment.eligible_on_demand = bill.total;
        bill.commitment.each = (0..usize::from(with))
            .map(|_| CommitmentUse {
                name: "plan".to_owned(),
                kind: CommitmentKind::ComputeSp,
                fee_discount: crate::units::Percent::default(),
                committed: dollars(40),
                used: dollars(30),
                used_by_others: Money::ZERO,
                unused: dollars(10),
                absorbable: dollars(10),
                covered_on_demand: bill.total.scale(2, 5),
                upfront: Money::ZERO,
                recurring: dollars(40),
            })
            .collect();
    }
    let html = of(&study);
    assert_sound(&html);
    let (_, money) = html.split_once("<h2 id=\"money\">").expect("the section");
    let (money, _) = money.split_once("<h2 id=\"evidence\">").expect("the next");
    for said in [
        "one for each case; every column adds up",
        "From 2025-01-06 06:00 to 2025-01-13 00:00 UTC, 162 h, without the warm-up",
        "commitments amortised by the hour, used or not",
        "the same usage without commitments",
        "what falls due in this time",
        "<bdi>pools.*</bdi>",
        "<bdi>commitments.plan.usd-per-hour</bdi>",
        "Utilisation 75\u{A0}%: of $40.00 committed, $30.00 was used. ",
        "Coverage 40\u{A0}%: of ",
        "is under no commitment: ",
        "plimsoll commit ",
        " says how much of it to commit.",
    ] {
        assert!(money.contains(said), "{said}");
    }
}

#[test]
fn cases_are_sent_only_where_they_may_learn_something() {
    let mut study = sample::study();
    study.warnings[0].code = "representative-prices";
    let count = study.cases.len();
    for (i, case) in study.cases.iter_mut().enumerate() {
        let detail = case.detail.as_mut().expect("finished");
        let bill = std::sync::Arc::make_mut(&mut detail.bill);
        bill.commitment.eligible_on_demand = bill.total;
        // `commit` answers for a payer with other usage too.
        bill.commitment.other_usage = i == 0;
        let amount = if i == 0 { bill.total } else { Money::ZERO };
        bill.by_price_status.insert("representative".to_owned(), amount);
    }
    let html = of(&study);
    assert_eq!(html.matches(" says how much of it to commit.").count(), count);
    assert_eq!(html.matches("Which prices are representative").count(), 1);
    assert_eq!(html.matches("\u{A0}% went to “").count(), count);
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
fn many_workloads_do_not_flood_the_page() {
    let mut study = sample::study();
    for outcome in study.cases.iter_mut().flat_map(|c| c.outcomes.iter_mut().flatten()) {
        let one = outcome.workloads[0].clone();
        outcome.workloads = (0..40)
            .map(|i| crate::sweep::WorkloadOutcome {
                name: format!("w{i}"),
                cost: Money::from_pico(i128::from(i) * 1_000_000_000_000),
                ..one.clone()
            })
            .collect();
    }
    for detail in study.cases.iter_mut().filter_map(|c| c.detail.as_mut()) {
        let curve = detail.pending_by_workload[0].1.clone();
        detail.pending_by_workload = (0..300).map(|i| (format!("w{i}"), curve.clone())).collect();
        let bill = std::sync::Arc::make_mut(&mut detail.bill);
        let parts = crate::units::split_exact(bill.total, &[1; 300]);
        let each = parts.into_iter().enumerate();
        let all: crate::bill::ByName = each.map(|(i, m)| (format!("w{i:03}"), m)).collect();
        bill.by_namespace = all.clone();
        bill.by_workload = all.clone();
        bill.fully_loaded_by_workload = all;
    }
    let html = of(&study);
    assert_sound(&html);
    // A third of a megabyte a case, however many workloads there are.
    assert!(html.len() < 350_000 * study.cases.len(), "{}", html.len());
    assert!(html.contains("the 12 of 300 with the longest p95"));
    assert_eq!(html.matches(">and 275 more<").count(), 2 * study.cases.len());
    let (_, table) = html.split_once("aria-label=\"Workloads by case\"").expect("the table");
    let (table, _) = table.split_once("</table>").expect("its end");
    // The dearest 25, from 39 USD down to 15; the others are 0 + … + 14 = 105 USD.
    assert_eq!(table.matches("<tr><th scope=\"row\"><bdi>w").count(), 25);
    let at = |name: &str| table.find(&format!("<bdi>{name}</bdi>"));
    assert!(at("w39").expect("listed") < at("w15").expect("listed") && at("w14").is_none());
    assert!(table.contains("and 15 more") && table.contains("$105.00"), "{table}");
    // One case leaves nothing to choose.
    study.cases.truncate(1);
    let html = of(&study);
    assert!(!html.contains("saving at best") && html.contains("and 15 more"));
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

fn of_sweep(study: &SweepStudy) -> String {
    sweep_page(study, SweepVerdict::of(study).as_ref())
}

#[test]
fn the_page_of_a_sweep_is_sound_and_says_what_to_choose() {
    let study = sweep_sample();
    let html = of_sweep(&study);
    assert_sound(&html);
    assert_eq!(html, of_sweep(&sweep_sample()));
    let verdict = SweepVerdict::of(&study).expect("finished");
    assert!(html.contains(&format!("<h1>Choose {}</h1>", study.label(verdict.chosen))), "headline");
    for id in ["tradeoffs", "axes", "sure", "flips", "settings", "combinations", "inputs", "method"]
    {
        assert!(html.contains(&format!("<h2 id=\"{id}\">")), "{id}");
    }
    assert!(html.contains("simulation noise only") && html.contains("--case spot"));
    for (name, svg) in sweep_chart_files(&study, &verdict) {
        assert_well_formed(&svg);
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)), "{name}");
    }
}

#[test]
fn names_in_a_sweep_stay_in_their_place() {
    for name in [EVIL, "\"><img src=x onerror=alert(1)>", "'; rm -rf x; '", "שלום \u{2066}x", ""]
    {
        let mut study = sweep_sample();
        name.clone_into(&mut study.scenario);
        for case in &mut study.cases {
            name.clone_into(&mut case.name);
            name.clone_into(&mut case.title);
        }
        for axis in &mut study.axes {
            name.clone_into(&mut axis.path);
            for value in &mut axis.values {
                name.clone_into(value);
            }
        }
        let html = of_sweep(&study);
        assert!(!html.contains("<img"), "{name}");
        // Text that is cut may end anywhere.
        assert_sound(&html.replace("src=", ""));
        let verdict = SweepVerdict::of(&study).expect("finished");
        for (_, svg) in sweep_chart_files(&study, &verdict) {
            assert_well_formed(&svg);
        }
    }
}

#[test]
fn awkward_sweeps_have_a_page() {
    assert!(of_sweep(&SweepStudy::default()).contains("No combination was finished"));
    assert_sound(&of_sweep(&SweepStudy::default()));
    let mut study = sweep_sample();
    study.complete = false;
    for combination in study.combinations.iter_mut().skip(4) {
        combination.outcomes = vec![None, None, None];
    }
    let html = of_sweep(&study);
    assert_sound(&html);
    assert!(html.contains("was interrupted"));
    // No axes: cases alone; one axis: lines instead of grids.
    let mut study = sweep_sample();
    let cases: Vec<_> = study.combinations.iter().filter(|c| c.values == [0, 0]).cloned().collect();
    study.axes.clear();
    study.combinations = cases;
    for combination in &mut study.combinations {
        combination.values.clear();
    }
    let html = of_sweep(&study);
    assert_sound(&html);
    assert!(!html.contains("id=\"axes\""));
    let mut study = sweep_sample();
    study.axes.truncate(1);
    study.combinations.retain(|c| c.values[1] == 0);
    for combination in &mut study.combinations {
        combination.values.truncate(1);
        combination.outcomes.truncate(1);
    }
    study.seeds.truncate(1);
    let html = of_sweep(&study);
    assert_sound(&html);
    assert!(html.contains("ringed: to choose") && !html.contains("framed: to choose"));
    // Somebody who does all the work by doing none.
    let mut study = sweep_sample();
    for combination in study.combinations.iter_mut().skip(1) {
        combination.serves_less = true;
    }
    let html = of_sweep(&study);
    assert_sound(&html);
    assert!(html.contains("<h1>Stay with ") && html.contains("does less work"));
}
