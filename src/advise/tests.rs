//! Verdicts on studies small enough to judge by hand.

use super::*;
use crate::bill::{PriceStatus, PurchaseOption};
use crate::sweep::{
    CaseStudy, CostTotals, Detail, GoalResult, GoalValue, Outcome, Pods, Priced, Study,
    WaitSummary, WorkloadOutcome,
};
use crate::units::Money;
use crate::workload::WorkloadKind;

fn usd(value: i128) -> Money {
    Money::from_pico(value * 1_000_000_000_000)
}

/// Money by way of buying; Spot counts as representative.
fn cell(on_demand: i128, spot: i128, fargate: i128) -> Outcome {
    let by_purchase = [("on-demand", on_demand), ("spot", spot), ("fargate", fargate)];
    Outcome {
        cost: CostTotals {
            total: usd(on_demand + spot + fargate),
            list: usd(on_demand + spot + fargate),
            by_purchase: by_purchase.map(|(n, v)| (n.to_owned(), usd(v))).into(),
            by_price_status: [("representative".to_owned(), usd(spot))].into(),
            ..CostTotals::default()
        },
        workloads: vec![
            workload("web", WorkloadKind::Service, on_demand + spot),
            workload("batch", WorkloadKind::Batch, fargate),
        ],
        ..Outcome::default()
    }
}

fn workload(name: &str, kind: WorkloadKind, cost: i128) -> WorkloadOutcome {
    WorkloadOutcome {
        name: name.to_owned(),
        kind,
        pods: Pods { finished: 1_000, ..Pods::default() },
        unfinished: 0,
        pending_s: WaitSummary::default(),
        ready_s: WaitSummary::default(),
        demanded_core_hours: if kind == WorkloadKind::Service { 100.0 } else { 0.0 },
        cost: usd(cost),
    }
}

fn study(cases: Vec<(&str, Vec<Outcome>)>) -> Study {
    Study {
        cases: cases
            .into_iter()
            .map(|(name, outcomes)| CaseStudy {
                name: name.to_owned(),
                outcomes: outcomes.into_iter().map(Some).collect(),
                ..CaseStudy::default()
            })
            .collect(),
        ..Study::default()
    }
}

fn judged(study: &Study) -> Verdict {
    Verdict::of(study).expect("finished cells")
}

fn text(verdict: &Verdict, study: &Study) -> String {
    let lines: Vec<String> =
        verdict.pieces(study).iter().map(|p| format!("{}: {}", p.label, p.text)).collect();
    lines.join("\n")
}

#[test]
fn the_cheapest_is_chosen_and_the_earlier_wins_a_tie() {
    let cells = |total| vec![cell(total, 0, 0)];
    let s = study(vec![("a", cells(12)), ("b", cells(10)), ("c", cells(10))]);
    let v = judged(&s);
    assert_eq!((v.chosen, v.runner_up.expect("two more").case), (1, 2));
    assert!(v.goals_met);
    let saving = v.case(1).expect("row");
    assert_eq!(saving.saving.map(|s| s.mean), Some(2.0));
    assert!((saving.saving_share.expect("share") - 1.0 / 6.0).abs() < 1e-12);
    assert!(v.flips.is_empty(), "equal cases tie at any price: {:?}", v.flips);
    let s = study(vec![("a", cells(10)), ("b", cells(10))]);
    assert_eq!(judged(&s).chosen, 0);
    assert!(Verdict::of(&study(vec![("a", Vec::new())])).is_none());
    assert!(Verdict::of(&Study::default()).is_none());
}

#[test]
fn less_work_is_never_cheaper() {
    type Damage = fn(&mut Outcome);
    let damages: [(Damage, ShortfallKind); 3] = [
        (|o| o.workloads[0].pods.rejected = 1, ShortfallKind::Rejected),
        (|o| o.workloads[0].pods.unserved_core_hours = 0.2, ShortfallKind::Unserved),
        (|o| o.workloads[1].unfinished = 6, ShortfallKind::Unfinished),
    ];
    for (damage, kind) in damages {
        let mut cheap = cell(5, 0, 0);
        damage(&mut cheap);
        let s = study(vec![("a", vec![cell(10, 0, 0)]), ("b", vec![cheap])]);
        let v = judged(&s);
        assert_eq!((v.chosen, v.candidates.as_slice()), (0, &[0][..]), "{kind:?}");
        assert_eq!(v.passed_over().map(|c| c.case).collect::<Vec<_>>(), [1]);
        assert_eq!(v.case(1).expect("row").shortfalls[0].kind, kind);
        assert!(text(&v, &s).contains("passed over: b: "), "{}", text(&v, &s));
    }
    // A case without the workload does nothing of it.
    let mut cheap = cell(5, 0, 0);
    cheap.workloads.remove(1);
    let mut whole = cell(10, 0, 0);
    whole.workloads[1].pods.submitted = 1_000;
    let s = study(vec![("a", vec![whole]), ("b", vec![cheap])]);
    let v = judged(&s);
    assert_eq!((v.chosen, v.case(1).expect("row").shortfalls[0].kind), (0, ShortfallKind::Missing));
    // Where the baseline does little, a third of it is no trifle: 3 of 1,000 pods and 2.
    let of = |total, finished| {
        let mut o = cell(total, 0, 0);
        o.workloads[1].pods.finished = finished;
        o.workloads[1].unfinished = 1_000 - finished;
        vec![o]
    };
    assert_eq!(judged(&study(vec![("a", of(10, 3)), ("b", of(5, 2))])).chosen, 0);
    assert_eq!(judged(&study(vec![("a", of(10, 3)), ("b", of(5, 3))])).chosen, 1);
    // Within tolerance: 0.1 % of demand, 5 of 1,005 pods.
    let mut cheap = cell(5, 0, 0);
    cheap.workloads[0].pods.unserved_core_hours = 0.1;
    cheap.workloads[1].unfinished = 5;
    let s = study(vec![("a", vec![cell(10, 0, 0)]), ("b", vec![cheap])]);
    assert_eq!(judged(&s).chosen, 1);
    // What the baseline rejects too is no shortfall.
    let mut both = [cell(10, 0, 0), cell(5, 0, 0)];
    for o in &mut both {
        o.workloads[0].pods.rejected = 3;
    }
    let [a, b] = both;
    assert_eq!(judged(&study(vec![("a", vec![a]), ("b", vec![b])])).chosen, 1);
}

#[test]
fn goals_come_before_dollars() {
    let with = |total, seconds: f64| {
        let mut o = cell(total, 0, 0);
        o.goals = vec![GoalResult {
            name: "wait".to_owned(),
            target: GoalValue::Seconds(60.0),
            value: Some(GoalValue::Seconds(seconds)),
            met: seconds <= 60.0,
        }];
        o
    };
    let s = study(vec![
        ("a", vec![with(12, 10.0)]),
        ("slow", vec![with(5, 90.0)]),
        ("b", vec![with(11, 60.0)]),
    ]);
    let v = judged(&s);
    assert_eq!((v.chosen, v.goals_met, v.candidates.as_slice()), (2, true, &[0, 2][..]));
    assert!(text(&v, &s).contains("passed over: slow: goal wait is 90.0 s, at most 60.0 s wanted"));
    // On the mean over seeds: 50 and 90 miss 60.
    let s = study(vec![("a", vec![with(12, 50.0), with(12, 90.0)])]);
    let v = judged(&s);
    assert_eq!((v.chosen, v.goals_met), (0, false));
    assert_eq!(v.cases[0].missed.iter().map(|m| m.mean).collect::<Vec<_>>(), [70.0]);
}

#[test]
fn noise_is_called_noise() {
    let s = study(vec![
        ("a", vec![cell(100, 0, 0), cell(110, 0, 0), cell(120, 0, 0)]),
        // −1, +1, −3: mean −1, sd 2, half width 4.97.
        ("b", vec![cell(99, 0, 0), cell(111, 0, 0), cell(117, 0, 0)]),
    ]);
    let v = judged(&s);
    assert_eq!(v.chosen, 1);
    assert_eq!(v.runner_up.expect("other").within_noise(), Some(true));
    let text = text(&v, &s);
    assert!(text.contains("runner-up: a costs $1.00 ± $4.97 more (within noise)"), "{text}");
    assert!(text.contains("simulation noise only"), "{text}");
    let mut days = s.clone();
    days.cases[1].resamples_days = true;
    assert!(judged(&days).interval_note().contains("in some cases with days resampled"));
    days.cases[0].resamples_days = true;
    assert!(judged(&days).interval_note().starts_with("95 % over seeds: days resampled, so"));
    let one = study(vec![("a", vec![cell(1, 0, 0)])]);
    assert_eq!(judged(&one).interval_note(), "one seed: no interval");
}

#[test]
fn flips_solve_for_the_tie() {
    // spot: 20 + 30 = 50; fargate: 60; on-demand: 80.
    let mut s = study(vec![
        ("on-demand", vec![cell(80, 0, 0)]),
        ("spot", vec![cell(20, 30, 0)]),
        ("fargate", vec![cell(0, 0, 60)]),
    ]);
    s.cases[1].detail = Some(Detail {
        priced: vec![Priced { purchase: PurchaseOption::Spot, net: usd(30), on_demand: usd(100) }],
        ..Detail::default()
    });
    let v = judged(&s);
    assert_eq!(v.chosen, 1);
    let found: Vec<(Lever, f64, usize)> =
        v.flips.iter().map(|f| (f.lever, (f.factor * 1e6).round() / 1e6, f.case)).collect();
    let (od, spot, fargate) =
        (PurchaseOption::OnDemand, PurchaseOption::Spot, PurchaseOption::Fargate);
    assert_eq!(
        found,
        [
            // 20f + 30 = 60 at 1.5; 20f + 30 = 80f at 0.5.
            (Lever::Purchase(od), 1.5, 2),
            (Lever::Purchase(od), 0.5, 0),
            // 20 + 30f = 60.
            (Lever::Purchase(spot), 1.333_333, 2),
            // 60f = 50.
            (Lever::Purchase(fargate), 0.833_333, 2),
            (Lever::Status(PriceStatus::Representative), 1.333_333, 2),
        ]
    );
    // 70 % saved now; at 4/3 of 30 cents on the dollar, 60 %.
    let (now, then) = v.flips[2].saving.expect("lines");
    assert!((now - 0.7).abs() < 1e-12 && (then - 0.6).abs() < 1e-12);
    let text = text(&v, &s);
    assert!(
        text.contains(
            "would flip: Spot prices × 1.33: fargate is as cheap (Spot 60 % below On-Demand, now 70 % below On-Demand)"
        ),
        "{text}"
    );
    // 30 of the chosen case's dollars are representative, none of the other's.
    assert_eq!(v.runner_up.expect("fargate").representative, usd(-30));
    assert_eq!(v.case(1).expect("row").representative, usd(30));
}

#[test]
fn each_workload_has_its_own_cheapest_case() {
    let s = study(vec![("ec2", vec![cell(50, 0, 40)]), ("mixed", vec![cell(60, 0, 10)])]);
    let v = judged(&s);
    let of = |i: usize| (v.workloads[i].workload.as_str(), v.workloads[i].case);
    assert_eq!((of(0), of(1)), (("web", 0), ("batch", 1)));
    assert_eq!(v.workloads[0].saving, None);
    assert_eq!(v.workloads[1].saving.map(|s| s.mean), Some(30.0));
    // A case that rejects the workload is no place for it.
    let mut s = s;
    if let Some(Some(o)) = s.cases[1].outcomes.first_mut() {
        o.workloads[1].pods.rejected = 1;
    }
    assert_eq!(judged(&s).workloads[1].case, 0);
}
