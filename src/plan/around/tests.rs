use std::path::Path;

use crate::bill::{Charge, Pricing};
use crate::plan::{CasePlan, Options, Plan, link};
use crate::scenario::Source;

/// A scenario with a service `web` on one node, and these further lines.
fn plan(more: &str) -> crate::Result<Plan> {
    let text = format!(
        "version: 1
name: t
region: us-east-1
pools: {{ p: {{ fixed: {{ type: m5.large, count: 1 }} }} }}
{more}"
    );
    link(&Source::parse(Path::new("s.yaml"), text.as_bytes())?, &Options::default())
}

const WEB: &str = "workload:
  web: { service: { requests: { cpu: 100m, memory: 64Mi }, replicas: 1 } }
";

/// The charges of a kind.
fn charges(case: &CasePlan, kind: Charge) -> Vec<&crate::bill::AroundCharge> {
    case.billing.around.iter().filter(|c| c.charge == kind).collect()
}

/// Standard support of 1.32 ends on 2026-03-23.
#[test]
fn the_control_plane_costs_more_once_its_support_ends() {
    let fees = |start: &str| {
        let more = format!(
            "versions: {{ kubernetes: \"1.32\" }}
time: {{ start: {start}T00:00Z, horizon: 2d }}
charges: {{ clusters: 3 }}
{WEB}"
        );
        let plan = plan(&more).expect("links");
        let found = charges(&plan.cases[0], Charge::ControlPlane);
        let Pricing::Dated(prices) = &found[0].pricing else { panic!("dated") };
        let rates: Vec<String> = prices.iter().map(|p| p.1.price.rate.to_string()).collect();
        let warned: Vec<String> = plan.warnings.into_iter().map(|w| w.text).collect();
        (found[0].quantity[0].amounts[0].numerator, rates.join(" "), warned.join(""))
    };
    assert_eq!(fees("2026-03-21"), (3, "0.1".to_owned(), String::new()));
    let (_, rates, warned) = fees("2026-03-23");
    assert_eq!(rates, "0.1 0.6");
    assert!(warned.contains("enters extended support on 2026-03-24, within the run"), "{warned}");
    let (_, rates, warned) = fees("2026-03-24");
    assert_eq!(rates, "0.6");
    assert!(warned.contains("in extended support since 2026-03-24"), "{warned}");
}
