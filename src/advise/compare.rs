//! Two finished results against each other: what was added, removed and
//! changed, and what that did.
//!
//! Values of equal seeds are paired, because cases share their random numbers:
//! two results differ then by their settings, not by luck. Without at least
//! two common seeds (or one, where a side has no more) means are compared as
//! independent samples, which takes far larger differences to see.
//!
//! Money along groupings is that of the first seed, exact; everything else is a
//! mean over seeds.

use std::collections::BTreeMap;

use super::fail_if::{Measured, Subject};
use crate::sweep::{
    Estimate, Metric, PastCase, PastStudy, PastSummary, TypeUse, WorkloadMetric, difference,
    estimate, unpaired_difference,
};
use crate::units::Money;
use crate::{Error, Result};

/// What happened to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Only the new result has it.
    Added,
    /// Only the old result has it.
    Removed,
    /// Both have it, and it differs.
    Changed,
    /// It is the same in both.
    Same,
}

impl Mark {
    /// Of something that either result may have.
    fn of<T: PartialEq>(old: Option<&T>, new: Option<&T>) -> Mark {
        match (old, new) {
            (None, Some(_)) => Mark::Added,
            (Some(_), None) => Mark::Removed,
            (old, new) if old == new => Mark::Same,
            _ => Mark::Changed,
        }
    }

    /// Its sign at the start of a line.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Mark::Added => '+',
            Mark::Removed => '-',
            Mark::Changed => '~',
            Mark::Same => ' ',
        }
    }

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Mark::Added => "added",
            Mark::Removed => "removed",
            Mark::Changed => "changed",
            Mark::Same => "same",
        }
    }
}

/// Something with a text on either side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is: a path, a file, a table.
    pub name: String,
    /// Before.
    pub old: Option<String>,
    /// After.
    pub new: Option<String>,
    /// Whether it only comes or goes with something else that is told: the
    /// default of a pool that is gone, the price of a type no longer used.
    pub implied: bool,
}

impl Item {
    /// What happened to it.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark::of(self.old.as_ref(), self.new.as_ref())
    }

    /// Whether it differs and nothing else says so.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.mark() != Mark::Same && !self.implied
    }
}

/// A metric on either side.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Its name in results.
    pub name: String,
    /// Its unit in results.
    pub unit: &'static str,
    /// Mean before.
    pub old: Option<Estimate>,
    /// Mean after.
    pub new: Option<Estimate>,
    /// After less before, with its interval.
    pub change: Option<Estimate>,
    /// Whether the change pairs equal seeds.
    pub paired: bool,
}

impl Measure {
    /// What happened to it.
    #[must_use]
    pub fn mark(&self) -> Mark {
        // Seeds may differ where means agree: the interval knows.
        let moved = self.change.is_some_and(|c| c.mean != 0.0 || c.half_width.unwrap_or(0.0) > 0.0);
        match (&self.old, &self.new) {
            (None, Some(_)) => Mark::Added,
            (Some(_), None) => Mark::Removed,
            _ if moved => Mark::Changed,
            _ => Mark::Same,
        }
    }

    /// Whether noise alone may explain the change; `None` where nobody can
    /// tell.
    #[must_use]
    pub fn within_noise(&self) -> Option<bool> {
        self.change?.within_noise()
    }
}

/// Nodes of one instance type on either side, first seed.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeItem {
    /// The instance type.
    pub name: String,
    /// Before.
    pub old: Option<TypeUse>,
    /// After.
    pub new: Option<TypeUse>,
}

impl TypeItem {
    /// What happened to it.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark::of(self.old.as_ref(), self.new.as_ref())
    }
}

/// An amount on either side, exact; zero where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyItem {
    /// What it is for.
    pub name: String,
    /// Before.
    pub old: Option<Money>,
    /// After.
    pub new: Option<Money>,
}

impl MoneyItem {
    /// What happened to it.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark::of(self.old.as_ref(), self.new.as_ref())
    }

    /// After less before.
    #[must_use]
    pub fn change(&self) -> Money {
        self.new.unwrap_or(Money::ZERO) - self.old.unwrap_or(Money::ZERO)
    }
}

/// Money of the first seed along one grouping: old, new and change each add up
/// to the total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostGroup {
    /// `pool`, `purchase`, `charge`, `workload`.
    pub by: &'static str,
    /// Its parts.
    pub items: Vec<MoneyItem>,
    /// Their sums.
    pub total: MoneyItem,
}

/// A case on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Its name before.
    pub old: String,
    /// Its name after.
    pub new: String,
    /// What to call it after.
    pub title: String,
    /// Settings of the scenario and of the program.
    pub settings: Vec<Item>,
    /// Facts of the tables of types and prices.
    pub catalog: Vec<Item>,
    /// Metrics of the whole cluster.
    pub metrics: Vec<Measure>,
    /// Metrics by workload.
    pub workloads: Vec<(String, Vec<Measure>)>,
    /// Nodes by type, first seed.
    pub nodes: Vec<TypeItem>,
    /// Money of the first seed along every grouping; empty where a side was
    /// interrupted before it.
    pub cost: Vec<CostGroup>,
}

impl Pair {
    /// Whether anything about it differs.
    #[must_use]
    pub fn mark(&self) -> Mark {
        let measures = self.metrics.iter().chain(self.workloads.iter().flat_map(|(_, m)| m));
        let items = self.settings.iter().chain(&self.catalog).map(Item::mark);
        let money = self.cost.iter().flat_map(|g| &g.items).map(MoneyItem::mark);
        let nodes = self.nodes.iter().map(TypeItem::mark);
        let mut marks = items.chain(measures.map(Measure::mark)).chain(money).chain(nodes);
        if marks.any(|m| m != Mark::Same) { Mark::Changed } else { Mark::Same }
    }

    /// The metric of this name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Measure> {
        self.metrics.iter().find(|m| m.name == name)
    }
}

/// One of the two results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Name of the scenario.
    pub scenario: String,
    /// Version of the program.
    pub version: String,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// Whether every cell was run.
    pub complete: bool,
}

/// Two results against each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The one compared with.
    pub old: Side,
    /// The one in question.
    pub new: Side,
    /// Scenario, version, Region.
    pub about: Vec<Item>,
    /// Input files by SHA-256.
    pub inputs: Vec<Item>,
    /// Price tables by date.
    pub prices: Vec<Item>,
    /// Settings that changed alike in every case, where there are several; they
    /// are not among those of the cases.
    pub common: Vec<Item>,
    /// Cases only the new result has.
    pub added: Vec<String>,
    /// Cases only the old result has.
    pub removed: Vec<String>,
    /// Cases of both, in the order of the new result.
    pub cases: Vec<Pair>,
}

/// Which cases are compared.
#[derive(Debug, Clone, Copy, Default)]
pub struct Picked<'a> {
    /// Only this case of the old result (and of the new one, unless `with`
    /// names another).
    pub case: Option<&'a str>,
    /// The case of the new result that it is compared with.
    pub with: Option<&'a str>,
}

impl Comparison {
    /// Compares.
    ///
    /// # Errors
    /// Wrong input where a picked case is not there.
    pub fn of(old: &PastStudy, new: &PastStudy, picked: Picked<'_>) -> Result<Comparison> {
        let pairs: Vec<(&PastCase, &PastCase)> = match picked.case {
            Some(case) => {
                vec![(found(old, case)?, found(new, picked.with.unwrap_or(case))?)]
            }
            None => new.cases.iter().filter_map(|c| Some((old.case(&c.name)?, c))).collect(),
        };
        let only = |of: &PastStudy, other: &PastStudy| -> Vec<String> {
            let names = of.cases.iter().map(|c| c.name.clone());
            let all = picked.case.is_none();
            names.filter(|name| all && other.case(name).is_none()).collect()
        };
        let mut cases: Vec<Pair> = pairs.into_iter().map(|(a, b)| pair(old, new, a, b)).collect();
        let common = hoist_common(&mut cases);
        let text = |t: &str| Some(t.to_owned());
        let about = [
            ("scenario", &old.scenario, &new.scenario),
            ("version", &old.plimsoll_version, &new.plimsoll_version),
            ("region", &old.region, &new.region),
        ];
        let files = |of: &PastStudy| {
            of.inputs.iter().map(|i| (i.path.clone(), i.sha256.clone())).collect::<BTreeMap<_, _>>()
        };
        Ok(Comparison {
            old: side(old),
            new: side(new),
            about: about
                .into_iter()
                .map(|(name, a, b)| Item {
                    name: name.to_owned(),
                    old: text(a),
                    new: text(b),
                    implied: false,
                })
                .collect(),
            inputs: items(&files(old), &files(new)),
            prices: items(&old.price_dates, &new.price_dates),
            common,
            added: only(new, old),
            removed: only(old, new),
            cases,
        })
    }

    /// Seeds that both results have.
    #[must_use]
    pub fn common_seeds(&self) -> Vec<u64> {
        self.old.seeds.iter().copied().filter(|s| self.new.seeds.contains(s)).collect()
    }
}

fn found<'a>(study: &'a PastStudy, name: &str) -> Result<&'a PastCase> {
    study.case(name).ok_or_else(|| {
        let names: Vec<&str> = study.cases.iter().map(|c| c.name.as_str()).collect();
        let hint = crate::scenario::nearest(name, names.iter().copied()).map_or_else(
            || format!("it has {}", names.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Error::input(format!(
            "the result of {} has no case {}; {hint}",
            study.scenario,
            crate::scenario::quote(name)
        ))
    })
}

fn side(of: &PastStudy) -> Side {
    Side {
        scenario: of.scenario.clone(),
        version: of.plimsoll_version.clone(),
        seeds: of.seeds.clone(),
        complete: of.complete,
    }
}

/// The keys of both in their order.
fn keys<'a, V>(old: &'a BTreeMap<String, V>, new: &'a BTreeMap<String, V>) -> Vec<&'a String> {
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    keys
}

fn items(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<Item> {
    keys(old, new)
        .into_iter()
        .map(|name| Item {
            name: name.clone(),
            old: old.get(name).cloned(),
            new: new.get(name).cloned(),
            implied: false,
        })
        .collect()
}

/// Settings of the scenario and of the program, or facts of the catalog. What
/// nobody wrote and only one side has follows from what somebody did write.
fn settings(old: &PastCase, new: &PastCase, catalog: bool) -> Vec<Item> {
    let of = |case: &PastCase| -> BTreeMap<String, String> {
        let kept = case.settings.iter().filter(|s| (s.origin == "catalog") == catalog);
        kept.map(|s| (s.path.clone(), s.value.clone())).collect()
    };
    let written = |path: &str| {
        let mut both = old.settings.iter().chain(&new.settings);
        both.any(|s| s.path == path && s.origin == "scenario")
    };
    let mut items = items(&of(old), &of(new));
    for item in &mut items {
        let one_sided = matches!(item.mark(), Mark::Added | Mark::Removed);
        item.implied = one_sided && !written(&item.name);
    }
    items
}

fn pair(old: &PastStudy, new: &PastStudy, a: &PastCase, b: &PastCase) -> Pair {
    let measured =
        |name: &str, unit, a: Option<&Vec<Option<f64>>>, b: Option<&Vec<Option<f64>>>| {
            measure(name, unit, (old.seeds.as_slice(), a), (new.seeds.as_slice(), b))
        };
    let metrics = Metric::ALL.into_iter().filter_map(|m| {
        measured(m.name(), m.unit(), a.metrics.get(m.name()), b.metrics.get(m.name()))
    });
    let mut names: Vec<&String> = Vec::new();
    for workload in b.workloads.iter().chain(&a.workloads) {
        if !names.contains(&&workload.name) {
            names.push(&workload.name);
        }
    }
    let workloads = names.into_iter().map(|name| {
        let of = |case: &PastCase| case.workloads.iter().position(|w| w.name == *name);
        let (of_a, of_b) = (of(a), of(b));
        let measures = WorkloadMetric::ALL.into_iter().filter_map(|m| {
            let values_a = of_a.and_then(|i| a.workloads[i].metrics.get(m.name()));
            let values_b = of_b.and_then(|i| b.workloads[i].metrics.get(m.name()));
            measured(m.name(), m.unit(), values_a, values_b)
        });
        (name.clone(), measures.collect())
    });
    let (nodes, cost) = match (&a.first, &b.first) {
        (Some(a), Some(b)) => first_seed(a, b),
        _ => (Vec::new(), Vec::new()),
    };
    Pair {
        old: a.name.clone(),
        new: b.name.clone(),
        title: b.title.clone(),
        settings: settings(a, b, false),
        catalog: settings(a, b, true),
        metrics: metrics.collect(),
        workloads: workloads.collect(),
        nodes,
        cost,
    }
}

/// Nodes by type and money along every grouping.
fn first_seed(old: &PastSummary, new: &PastSummary) -> (Vec<TypeItem>, Vec<CostGroup>) {
    let (a, b) = (&old.nodes.by_type, &new.nodes.by_type);
    let nodes = keys(a, b)
        .into_iter()
        .map(|name| TypeItem {
            name: name.clone(),
            old: a.get(name).copied(),
            new: b.get(name).copied(),
        })
        .collect();
    let total = MoneyItem {
        name: "total".to_owned(),
        old: Some(old.cost.total),
        new: Some(new.cost.total),
    };
    let groups = old.cost.groupings().into_iter().zip(new.cost.groupings());
    let cost = groups
        .map(|((by, a), (_, b))| CostGroup {
            by,
            items: keys(a, b)
                .into_iter()
                .map(|name| MoneyItem {
                    name: name.clone(),
                    old: a.get(name).copied(),
                    new: b.get(name).copied(),
                })
                .collect(),
            total: total.clone(),
        })
        .collect();
    (nodes, cost)
}

/// Seeds with their values.
type Values<'a> = (&'a [u64], Option<&'a Vec<Option<f64>>>);

fn measure(name: &str, unit: &'static str, old: Values<'_>, new: Values<'_>) -> Option<Measure> {
    let by_seed = |(seeds, values): Values<'_>| -> Vec<(u64, f64)> {
        let values = values.map_or(&[][..], Vec::as_slice);
        seeds.iter().zip(values).filter_map(|(s, v)| Some((*s, (*v)?))).collect()
    };
    let (old, new) = (by_seed(old), by_seed(new));
    let plain = |of: &[(u64, f64)]| of.iter().map(|(_, v)| *v).collect::<Vec<f64>>();
    let (a, b) = (plain(&old), plain(&new));
    if a.is_empty() && b.is_empty() {
        return None;
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for (seed, value) in &old {
        if let Some((_, other)) = new.iter().find(|(s, _)| s == seed) {
            left.push(Some(*value));
            right.push(Some(*other));
        }
    }
    let paired = left.len() >= 2 || (left.len() == 1 && a.len().min(b.len()) == 1);
    let change = if paired { difference(&left, &right) } else { unpaired_difference(&a, &b) };
    Some(Measure {
        name: name.to_owned(),
        unit,
        old: estimate(&a),
        new: estimate(&b),
        change,
        paired,
    })
}

/// Takes the settings and facts that changed alike in every case out of them.
fn hoist_common(cases: &mut [Pair]) -> Vec<Item> {
    let Some((first, rest)) = cases.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Vec::new();
    };
    let all =
        |case: &Pair, item: &Item| case.settings.contains(item) || case.catalog.contains(item);
    let common: Vec<Item> = first
        .settings
        .iter()
        .chain(&first.catalog)
        .filter(|item| item.mark() != Mark::Same && rest.iter().all(|case| all(case, item)))
        .cloned()
        .collect();
    for case in cases {
        case.settings.retain(|item| !common.contains(item));
        case.catalog.retain(|item| !common.contains(item));
    }
    common
}

/// Cases of the new result, each against the same case of the old one.
impl Measured for Comparison {
    fn cases(&self) -> Vec<String> {
        self.cases.iter().map(|c| c.new.clone()).collect()
    }

    fn workloads(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (name, _) in self.cases.iter().flat_map(|c| &c.workloads) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    fn value(&self, case: usize, subject: Subject<'_>) -> Option<Estimate> {
        self.measure(case, subject)?.new
    }

    fn against_baseline(&self, case: usize, subject: Subject<'_>) -> Option<(Estimate, Estimate)> {
        let measure = self.measure(case, subject)?;
        Some((measure.old?, measure.change?))
    }
}

impl Comparison {
    fn measure(&self, case: usize, subject: Subject<'_>) -> Option<&Measure> {
        let case = self.cases.get(case)?;
        match subject {
            Subject::Cluster(metric) => case.metric(metric.name()),
            Subject::Workload(workload, metric) => {
                let (_, measures) = case.workloads.iter().find(|(name, _)| name == workload)?;
                measures.iter().find(|m| m.name == metric.name())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advise::FailIf;
    use crate::sweep::{PastSetting, PastWorkload};

    fn case(name: &str, cost: &[f64], settings: &[(&str, &str, &str)]) -> PastCase {
        let cost: Vec<Option<f64>> = cost.iter().copied().map(Some).collect();
        PastCase {
            name: name.to_owned(),
            title: name.to_owned(),
            settings: settings
                .iter()
                .map(|(path, value, origin)| PastSetting {
                    path: (*path).to_owned(),
                    value: (*value).to_owned(),
                    origin: (*origin).to_owned(),
                })
                .collect(),
            metrics: [("cost".to_owned(), cost.clone())].into(),
            workloads: vec![PastWorkload {
                name: "web".to_owned(),
                metrics: [("cost_fully_loaded".to_owned(), cost)].into(),
            }],
            first: None,
        }
    }

    fn study(seeds: &[u64], cases: Vec<PastCase>) -> PastStudy {
        PastStudy {
            schema_version: 1,
            plimsoll_version: "0.1.0".to_owned(),
            scenario: "s".to_owned(),
            region: "us-east-1".to_owned(),
            complete: true,
            inputs: Vec::new(),
            price_dates: BTreeMap::new(),
            seeds: seeds.to_vec(),
            cases,
        }
    }

    fn compared(old: &PastStudy, new: &PastStudy) -> Comparison {
        Comparison::of(old, new, Picked::default()).expect("compared")
    }

    #[test]
    fn equal_seeds_are_paired_and_others_are_not() {
        let old = study(&[1, 2, 3], vec![case("a", &[100.0, 200.0, 300.0], &[])]);
        // In another order: 99 belongs to seed 1, 198 to 2, 297 to 3.
        let new = study(&[3, 1, 2], vec![case("a", &[297.0, 99.0, 198.0], &[])]);
        let of = compared(&old, &new);
        let cost = of.cases[0].metric("cost").expect("cost");
        let change = cost.change.expect("paired");
        // −1, −2, −3: mean −2, sd 1, t(2) / √3.
        assert!(cost.paired && (change.mean + 2.0).abs() < 1e-12);
        assert!((change.half_width.expect("three") - 2.484_138).abs() < 1e-5);
        assert_eq!((cost.mark(), cost.within_noise()), (Mark::Changed, Some(true)));
        // The same without a common seed: sd 100 on both sides.
        let new = study(&[4, 5, 6], vec![case("a", &[297.0, 99.0, 198.0], &[])]);
        let of = compared(&old, &new);
        let cost = of.cases[0].metric("cost").expect("cost");
        let change = cost.change.expect("unpaired");
        assert!(!cost.paired && change.half_width.expect("three") > 200.0);
        assert!(of.common_seeds().is_empty());
    }

    #[test]
    fn cases_come_and_go_and_bounds_are_held_against_the_old_one() {
        let old = study(&[1], vec![case("a", &[100.0], &[]), case("gone", &[1.0], &[])]);
        let new = study(&[1], vec![case("new", &[1.0], &[]), case("a", &[106.0], &[])]);
        let of = compared(&old, &new);
        assert_eq!(
            (of.added.as_slice(), of.removed.as_slice()),
            (&["new".to_owned()][..], &["gone".to_owned()][..])
        );
        assert_eq!(of.cases.len(), 1);
        let cost = of.cases[0].metric("cost").expect("cost");
        assert_eq!((cost.change.expect("paired").mean, cost.within_noise()), (6.0, None));
        let crossed = |text: &str| {
            let fail_if = FailIf::parse(&[text.to_owned()]).expect("an expression");
            fail_if.crossings(&of).len()
        };
        assert_eq!([crossed("cost>+5%"), crossed("cost>+7%"), crossed("cost>100")], [1, 0, 1]);
        assert_eq!([crossed("workload:web cost>+$5"), crossed("workload:db cost>+$5")], [1, 0]);
        // Two cases of one result.
        let picked = Picked { case: Some("a"), with: Some("gone") };
        let of = Comparison::of(&old, &old, picked).expect("compared");
        assert_eq!((of.cases[0].old.as_str(), of.cases[0].new.as_str()), ("a", "gone"));
        assert!(of.added.is_empty() && of.removed.is_empty());
        let error = Comparison::of(&old, &new, Picked { case: Some("gnoe"), with: None });
        let said = error.expect_err("no such case").to_string();
        assert!(said.contains("no case `gnoe`") && said.contains("`gone`"), "{said}");
    }

    #[test]
    fn settings_say_what_was_written() {
        let a = [("x", "1", "scenario"), ("y", "2", "default"), ("p", "0.1 USD", "catalog")];
        let b = [("x", "2", "scenario"), ("z", "2", "default"), ("p", "0.2 USD", "catalog")];
        let both = |s: &[(&str, &str, &str)]| {
            study(&[1], vec![case("a", &[1.0], s), case("b", &[1.0], s)])
        };
        // Alike in both cases: said once.
        let of = compared(&both(&a), &both(&b));
        let told = |items: &[Item]| {
            items.iter().filter(|i| i.tells()).map(|i| i.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(told(&of.common), ["x", "p"]);
        assert!(
            of.cases.iter().all(|c| told(&c.settings).is_empty() && told(&c.catalog).is_empty())
        );
        // A single case keeps its own; defaults that come and go say nothing.
        let one = |s: &[(&str, &str, &str)]| study(&[1], vec![case("a", &[1.0], s)]);
        let of = compared(&one(&a), &one(&b));
        assert_eq!(told(&of.cases[0].settings), ["x"]);
        assert_eq!(told(&of.cases[0].catalog), ["p"]);
        assert_eq!(of.cases[0].mark(), Mark::Changed);
        let of = compared(&one(&a), &one(&a));
        assert_eq!(of.cases[0].mark(), Mark::Same);
    }
}
