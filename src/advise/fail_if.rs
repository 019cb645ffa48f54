//! `--fail-if`: bounds that a result must not cross, in a language small
//! enough for a line of a CI job.
//!
//! ```text
//! expression = [ "case:" name ] [ "workload:" name ] metric operator bound
//! operator   = ">" | ">=" | "<" | "<="
//! bound      = value             absolute: 60s, $20000, 500, 80%
//!            | ( "+" | "-" ) value | ( "+" | "-" ) percentage
//!                                relative to the baseline: +30s, -$5, +5%
//! ```
//!
//! A name with blanks or operators stands in double quotes. Metrics are those
//! of `comparison.csv`, of a workload after `workload:`, with a few short names
//! ([`SHORT`], [`SHORT_OF_WORKLOAD`]). Money takes `$` or nothing, times need a
//! unit, shares are percentages or fractions. A percentage with a sign is
//! always relative: `+5%` of an evictions count, of dollars and of a share
//! alike mean 1.05 times the baseline's.
//!
//! Means over seeds are compared, differences seed by seed. A relative bound
//! says nothing about the baseline itself, and a case without a value (no pod
//! waited, no such workload) crosses no bound.

use crate::Result;
use std::fmt::Write as _;

use crate::scenario::{Diagnostics, Sources, Span, nearest, quote};
use crate::sweep::{
    Combination, Estimate, Metric, Outcome, Study, SweepStudy, WorkloadMetric, difference, estimate,
};
use crate::units::{SimDuration, parse_duration};

/// What an expression of the command line is called in messages.
const FLAG: &str = "--fail-if";
/// What the scopes of an expression begin with.
const CASE: &str = "case:";
const WORKLOAD: &str = "workload:";
/// What metric names and bare scope names end at.
const OPERATORS: [char; 3] = ['<', '>', '='];

/// Short names of metrics of the whole cluster.
pub const SHORT: [(&str, Metric); 4] = [
    ("monthly", Metric::CostMonthly),
    ("list", Metric::CostList),
    ("unserved", Metric::Unserved),
    ("repeated", Metric::Repeated),
];

/// Short names of metrics of a workload.
pub const SHORT_OF_WORKLOAD: [(&str, WorkloadMetric); 2] =
    [("cost", WorkloadMetric::Cost), ("unserved", WorkloadMetric::Unserved)];

/// Headings of tables whose metrics bear other names.
const HEADINGS: [(&str, &str); 3] =
    [("evicted", "evictions"), ("lost", "interruptions"), ("interrupted", "interruptions")];

/// What is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A metric of the whole cluster.
    Cluster(Metric),
    /// A metric of the workload of this name.
    Workload(&'a str, WorkloadMetric),
}

impl Subject<'_> {
    /// Its value in one cell.
    fn value(self, of: &Outcome) -> Option<f64> {
        match self {
            Subject::Cluster(metric) => metric.value(of),
            Subject::Workload(name, metric) => metric.value(of.workload(name)?),
        }
    }
}

/// A result whose cases bounds are held against.
pub trait Measured {
    /// Names of the cases, in order. Combinations of a sweep have the name of
    /// their case, which `case:` takes as a whole.
    fn cases(&self) -> Vec<String>;

    /// What to call a case in a message.
    fn label(&self, case: usize) -> String {
        self.cases().get(case).cloned().unwrap_or_default()
    }

    /// Names of the workloads that any case has.
    fn workloads(&self) -> Vec<String>;

    /// Mean over seeds in a case.
    fn value(&self, case: usize, subject: Subject<'_>) -> Option<Estimate>;

    /// Mean of the baseline of a case, and the difference `case − baseline`;
    /// `None` where the case is itself the baseline or has none.
    fn against_baseline(&self, case: usize, subject: Subject<'_>) -> Option<(Estimate, Estimate)>;
}

/// Every `--fail-if` of a command line.
#[derive(Debug, Clone, Default)]
pub struct FailIf {
    sources: Sources,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
struct Condition {
    text: String,
    case: Option<(String, Span)>,
    workload: Option<(String, Span)>,
    quantity: Quantity,
    operator: Operator,
    bound: Bound,
}

/// A metric, whose workload stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Cluster(Metric),
    Workload(WorkloadMetric),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Above,
    AtLeast,
    Below,
    AtMost,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    /// In the metric's unit.
    Absolute(f64),
    /// The baseline's value plus this, in the metric's unit.
    Difference(f64),
    /// The baseline's value plus this share of it.
    Share(f64),
}

/// A bound that a case crosses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// The expression as it was written.
    pub expression: String,
    /// The case.
    pub case: String,
    /// By how much, in words.
    pub text: String,
}

impl FailIf {
    /// Reads expressions.
    ///
    /// # Errors
    /// Wrong input, every mistake at once, each with its place in the
    /// expression.
    pub fn parse(expressions: &[String]) -> Result<FailIf> {
        let mut sources = Sources::default();
        let files: Vec<u32> =
            expressions.iter().map(|text| sources.add(FLAG, text.clone())).collect();
        let mut diags = Diagnostics::new(sources.clone());
        let mut conditions = Vec::with_capacity(expressions.len());
        for (text, file) in expressions.iter().zip(files) {
            conditions.extend(Reader { text, file, at: 0 }.condition(&mut diags));
        }
        refuse(diags)?;
        Ok(FailIf { sources, conditions })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Checks that the cases and workloads they name exist.
    ///
    /// # Errors
    /// Wrong input where one does not.
    pub fn check_names(&self, cases: &[String], workloads: &[String]) -> Result<()> {
        let mut diags = Diagnostics::new(self.sources.clone());
        for condition in &self.conditions {
            for (what, named, known) in
                [("case", &condition.case, cases), ("workload", &condition.workload, workloads)]
            {
                let Some((name, span)) = named else { continue };
                if !known.contains(name) {
                    diags
                        .error(*span, format!("there is no {what} {}", quote(name)))
                        .suggest(name, known.iter().map(String::as_str));
                }
            }
        }
        refuse(diags)
    }

    /// Every bound that a case crosses, in the order of the expressions, then
    /// of the cases.
    #[must_use]
    pub fn crossings(&self, of: &dyn Measured) -> Vec<Crossing> {
        let cases = of.cases();
        let mut crossings = Vec::new();
        for condition in &self.conditions {
            for (index, case) in cases.iter().enumerate() {
                if condition.case.as_ref().is_some_and(|(name, _)| name != case) {
                    continue;
                }
                if let Some(text) = condition.crossed(of, index) {
                    let expression = condition.text.clone();
                    crossings.push(Crossing { expression, case: of.label(index), text });
                }
            }
        }
        crossings
    }
}

fn refuse(diags: Diagnostics) -> Result<()> {
    diags.into_result().map(drop)
}

impl Condition {
    fn subject(&self) -> Subject<'_> {
        match (self.quantity, &self.workload) {
            (Quantity::Cluster(metric), _) => Subject::Cluster(metric),
            (Quantity::Workload(metric), name) => {
                Subject::Workload(name.as_ref().map_or("", |(name, _)| name), metric)
            }
        }
    }

    /// By how much a case crosses the bound; `None` where it does not.
    fn crossed(&self, of: &dyn Measured, case: usize) -> Option<String> {
        let unit = self.quantity.unit();
        let shown = |value: f64| shown(value, unit, self.quantity.is_share());
        let (limit, value) = match self.bound {
            Bound::Absolute(limit) => {
                let value = of.value(case, self.subject())?;
                if !self.operator.holds(value.mean, limit) {
                    return None;
                }
                (limit, value)
            }
            Bound::Difference(_) | Bound::Share(_) => {
                let (baseline, difference) = of.against_baseline(case, self.subject())?;
                let allowed = match self.bound {
                    Bound::Share(share) => share * baseline.mean,
                    Bound::Difference(most) | Bound::Absolute(most) => most,
                };
                if !self.operator.holds(difference.mean, allowed) {
                    return None;
                }
                let (base, change) = (baseline.mean, difference.mean);
                let value = of.value(case, self.subject()).map_or(base + change, |v| v.mean);
                let mut text = format!(
                    "{} is {}, {} {} the baseline's {}",
                    self.quantity.name(),
                    shown(value),
                    shown(change.abs()),
                    if change < 0.0 { "below" } else { "above" },
                    shown(base)
                );
                if base > 0.0 {
                    let _ = write!(text, " ({:+.1} %)", change / base * 100.0);
                }
                if difference.within_noise() == Some(true) {
                    text += ", which noise alone may explain";
                }
                return Some(text);
            }
        };
        let side = if value.mean < limit { "below" } else { "above" };
        let gap = (value.mean - limit).abs();
        let far = if gap == 0.0 {
            format!("exactly {}", shown(limit))
        } else {
            format!("{} {side} {}", shown(gap), shown(limit))
        };
        let noise = match value.half_width {
            Some(half) if half > 0.0 && gap <= half => ", within its interval of the bound",
            _ => "",
        };
        Some(format!("{} is {}, {far}{noise}", self.quantity.name(), shown(value.mean)))
    }
}

impl Operator {
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Operator::Above => value > limit,
            Operator::AtLeast => value >= limit,
            Operator::Below => value < limit,
            Operator::AtMost => value <= limit,
        }
    }
}

impl Quantity {
    fn unit(self) -> &'static str {
        match self {
            Quantity::Cluster(metric) => metric.unit(),
            Quantity::Workload(metric) => metric.unit(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Quantity::Cluster(metric) => metric.name(),
            Quantity::Workload(metric) => metric.name(),
        }
    }

    fn is_share(self) -> bool {
        matches!(
            self,
            Quantity::Cluster(
                Metric::CpuRequested
                    | Metric::MemoryRequested
                    | Metric::CpuUsed
                    | Metric::MemoryUsed
                    | Metric::ComputeGap
            )
        )
    }

    fn named(name: &str, of_workload: bool) -> Option<Quantity> {
        if of_workload {
            let long = WorkloadMetric::ALL.into_iter().map(|m| (m.name(), m));
            let found = SHORT_OF_WORKLOAD.into_iter().chain(long).find(|(n, _)| *n == name);
            found.map(|(_, metric)| Quantity::Workload(metric))
        } else {
            let long = Metric::ALL.into_iter().map(|m| (m.name(), m));
            let found = SHORT.into_iter().chain(long).find(|(n, _)| *n == name);
            found.map(|(_, metric)| Quantity::Cluster(metric))
        }
    }

    fn names(of_workload: bool) -> Vec<&'static str> {
        if of_workload {
            let short = SHORT_OF_WORKLOAD.iter().map(|(name, _)| *name);
            short.chain(WorkloadMetric::ALL.into_iter().map(WorkloadMetric::name)).collect()
        } else {
            let short = SHORT.iter().map(|(name, _)| *name);
            Metric::ALL.into_iter().map(Metric::name).chain(short).collect()
        }
    }
}

/// A value for people, in the unit of its metric. What is small has more
/// decimals: a bound that is crossed by little must not look untouched.
fn shown(value: f64, unit: &str, share: bool) -> String {
    match unit {
        _ if share => format!("{} %", digits(value * 100.0, 1)),
        "s" => format!("{} s", digits(value, 1)),
        _ if unit.starts_with("USD") => {
            let places = if value.abs() < 1.0 && value != 0.0 { 4 } else { 2 };
            let sign = if value < 0.0 { "-" } else { "" };
            format!("{sign}${}", digits(value.abs(), places))
        }
        "" => digits(value, 1).trim_end_matches(".0").to_owned(),
        unit => format!("{} {unit}", digits(value, 1)),
    }
}

/// With this many decimals, or as many more as its first two digits take;
/// below a billionth only its size.
fn digits(value: f64, places: usize) -> String {
    let size = value.abs();
    if size > 0.0 && size < 1e-9 {
        return format!("{value:.1e}");
    }
    // With `enough` decimals, what is at least `least` has two digits.
    let (mut enough, mut least) = (1, 1.0);
    while enough < places || size > 0.0 && size < least {
        enough += 1;
        least /= 10.0;
    }
    format!("{value:.enough$}")
}

/// Reads one expression.
struct Reader<'a> {
    text: &'a str,
    file: u32,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn span(&self, from: usize, to: usize) -> Span {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file: self.file, start: place(from), end: place(to) }
    }

    /// A name up to a blank or an operator, or within double quotes.
    fn name(&mut self, diags: &mut Diagnostics) -> Option<(String, Span)> {
        let from = self.at;
        if let Some(quoted) = self.rest().strip_prefix('"') {
            let Some(length) = quoted.find('"') else {
                diags.error(self.span(from, self.text.len()), "the quoted name has no end");
                return None;
            };
            self.at += length + 2;
            return Some((quoted[..length].to_owned(), self.span(from, self.at)));
        }
        let rest = self.rest();
        let stop = |c: char| c.is_whitespace() || OPERATORS.contains(&c);
        self.at += rest.find(stop).unwrap_or(rest.len());
        Some((self.text[from..self.at].to_owned(), self.span(from, self.at)))
    }

    fn condition(mut self, diags: &mut Diagnostics) -> Option<Condition> {
        let (mut case, mut workload) = (None, None);
        loop {
            self.skip_blanks();
            let scopes = [(CASE, &mut case), (WORKLOAD, &mut workload)];
            let Some((scope, slot)) = scopes.into_iter().find(|(s, _)| self.rest().starts_with(s))
            else {
                break;
            };
            let from = self.at;
            self.at += scope.len();
            let name = self.name(diags)?;
            if name.0.is_empty() {
                let example = format!("write {scope}NAME, or {scope}\"two words\"");
                diags
                    .error(self.span(from, self.at), format!("`{scope}` has no name"))
                    .help(example);
                return None;
            }
            if slot.replace(name).is_some() {
                diags.error(self.span(from, self.at), format!("`{scope}` is there twice"));
                return None;
            }
        }
        let quantity = self.quantity(workload.is_some(), diags)?;
        let operator = self.operator(diags)?;
        let bound = self.bound(quantity, diags)?;
        Some(Condition { text: self.text.to_owned(), case, workload, quantity, operator, bound })
    }

    fn quantity(&mut self, of_workload: bool, diags: &mut Diagnostics) -> Option<Quantity> {
        let from = self.at;
        let (name, span) = self.name(diags)?;
        if let Some(quantity) = Quantity::named(&name, of_workload) {
            return Some(quantity);
        }
        let message = match (name.is_empty(), Quantity::named(&name, !of_workload)) {
            (true, _) => "a metric is missing".to_owned(),
            (_, Some(Quantity::Cluster(_))) => {
                format!("{} is measured over the whole cluster only", quote(&name))
            }
            (_, Some(Quantity::Workload(_))) => {
                format!("{} is a metric of workloads: write workload:NAME before it", quote(&name))
            }
            _ => format!("unknown metric {}", quote(&name)),
        };
        let span = if name.is_empty() { self.span(from, from + 1) } else { span };
        let names = Quantity::names(of_workload);
        let found = diags.error(span, message);
        let heading = HEADINGS.into_iter().find(|(heading, _)| *heading == name);
        let meant = heading.map(|(_, metric)| metric).filter(|metric| names.contains(metric));
        if let Some(near) = meant.or_else(|| nearest(&name, names.iter().copied())) {
            found.label(format!("did you mean `{near}`?"));
        }
        found.help(format!("metrics: {}", names.join(", ")));
        None
    }

    fn operator(&mut self, diags: &mut Diagnostics) -> Option<Operator> {
        self.skip_blanks();
        let rest = self.rest();
        let found = [
            (">=", Operator::AtLeast),
            ("<=", Operator::AtMost),
            (">", Operator::Above),
            ("<", Operator::Below),
        ]
        .into_iter()
        .find(|(sign, _)| rest.starts_with(sign));
        if let Some((sign, operator)) = found {
            self.at += sign.len();
            return Some(operator);
        }
        let length = rest.chars().next().map_or(1, char::len_utf8);
        diags
            .error(self.span(self.at, self.at + length), "expected `>`, `>=`, `<` or `<=` here")
            .help("as in cost>+5% or pending_p95>60s");
        None
    }

    fn bound(&mut self, quantity: Quantity, diags: &mut Diagnostics) -> Option<Bound> {
        self.skip_blanks();
        let text = self.rest().trim_end();
        let span = self.span(self.at, self.at + text.len().max(1));
        match bound(text, quantity) {
            Ok(bound) => Some(bound),
            Err((message, help)) => {
                diags.error(span, message).help(help);
                None
            }
        }
    }
}

/// Reads a bound; else what is wrong, and what to write.
fn bound(text: &str, quantity: Quantity) -> std::result::Result<Bound, (String, String)> {
    let unit = quantity.unit();
    let example = match unit {
        "s" => "as in 60s, +30s or +5%",
        _ if quantity.is_share() => "as in 80%, 0.8 or -5%",
        _ if unit.starts_with("USD") => "as in $20000, 0.25, +$500 or +5%",
        _ => "as in 500, +10 or +5%",
    };
    let bad = |message: String| (message, format!("{}: {example}", quantity.name()));
    let (sign, body) = if let Some(body) = text.strip_prefix('+') {
        (Some(1.0), body)
    } else if let Some(body) = text.strip_prefix(['-', '\u{2212}']) {
        (Some(-1.0), body)
    } else {
        (None, text)
    };
    if body.is_empty() {
        return Err(bad("the bound is missing".to_owned()));
    }
    if let Some(number) = body.strip_suffix('%') {
        let share = plain_number(number.trim_end())
            .ok_or_else(|| bad(format!("{} is no percentage", quote(text))))?
            / 100.0;
        return match sign {
            Some(sign) => Ok(Bound::Share(sign * share)),
            None if quantity.is_share() => Ok(Bound::Absolute(share)),
            None => Err(bad(format!(
                "{} needs a sign: +{body} or -{body} of the baseline's value",
                quote(text)
            ))),
        };
    }
    let value = match unit {
        "s" => parse_duration(body).map(SimDuration::secs_f64).map_err(|e| bad(e.0))?,
        _ if unit.starts_with("USD") => plain_number(body.strip_prefix('$').unwrap_or(body))
            .ok_or_else(|| bad(format!("{} is no amount of USD", quote(text))))?,
        _ => plain_number(body).ok_or_else(|| bad(format!("{} is no number", quote(text))))?,
    };
    Ok(match sign {
        Some(sign) => Bound::Difference(sign * value),
        None => Bound::Absolute(value),
    })
}

/// Digits with at most one point.
fn plain_number(text: &str) -> Option<f64> {
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if text.is_empty() || text.len() > 30 || !digits(text) {
        return None;
    }
    text.parse().ok().filter(|v: &f64| v.is_finite())
}

impl Measured for Study {
    fn cases(&self) -> Vec<String> {
        self.cases.iter().map(|c| c.name.clone()).collect()
    }

    fn workloads(&self) -> Vec<String> {
        Study::workloads(self).into_iter().map(str::to_owned).collect()
    }

    fn value(&self, case: usize, subject: Subject<'_>) -> Option<Estimate> {
        match subject {
            Subject::Cluster(metric) => self.estimate(case, metric),
            Subject::Workload(name, metric) => self.workload_estimate(case, name, metric),
        }
    }

    fn against_baseline(&self, case: usize, subject: Subject<'_>) -> Option<(Estimate, Estimate)> {
        if case == 0 {
            return None;
        }
        let difference = match subject {
            Subject::Cluster(metric) => self.difference(0, case, metric),
            Subject::Workload(name, metric) => self.workload_difference(0, case, name, metric),
        };
        Some((self.value(0, subject)?, difference?))
    }
}

/// Combinations, each against the first.
impl Measured for SweepStudy {
    fn cases(&self) -> Vec<String> {
        let name = |c: &Combination| self.cases.get(c.case).map(|c| c.name.clone());
        self.combinations.iter().map(|c| name(c).unwrap_or_default()).collect()
    }

    fn label(&self, case: usize) -> String {
        SweepStudy::label(self, case)
    }

    fn workloads(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for workload in
            self.combinations.iter().filter_map(|c| c.finished().next()).flat_map(|o| &o.workloads)
        {
            if !names.contains(&workload.name) {
                names.push(workload.name.clone());
            }
        }
        names
    }

    fn value(&self, case: usize, subject: Subject<'_>) -> Option<Estimate> {
        let values = self.values(case, |o| subject.value(o));
        estimate(&values.into_iter().flatten().collect::<Vec<_>>())
    }

    fn against_baseline(&self, case: usize, subject: Subject<'_>) -> Option<(Estimate, Estimate)> {
        if case == 0 {
            return None;
        }
        let values = |at: usize| self.values(at, |o| subject.value(o));
        Some((Measured::value(self, 0, subject)?, difference(&values(0), &values(case))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::{CaseStudy, CostTotals, Pods, WaitSummary, WorkloadOutcome};
    use crate::units::Money;
    use crate::workload::WorkloadKind;

    fn outcome(usd: i128, p95: Option<f64>, evicted: u64) -> Outcome {
        let wait = WaitSummary { p95, ..WaitSummary::default() };
        let pods = Pods { evicted, ..Pods::default() };
        Outcome {
            cost: CostTotals {
                total: Money::from_pico(usd * 1_000_000_000_000),
                ..CostTotals::default()
            },
            pending_s: wait,
            pods: pods.clone(),
            workloads: vec![WorkloadOutcome {
                name: "my web".to_owned(),
                kind: WorkloadKind::Service,
                pods,
                unfinished: 0,
                pending_s: wait,
                ready_s: WaitSummary::default(),
                demanded_core_hours: 0.0,
                cost: Money::from_pico(usd * 500_000_000_000),
            }],
            ..Outcome::default()
        }
    }

    /// Today costs 100 and 110 USD, `spot` 106 and 117: 6 and 7 more.
    fn study() -> Study {
        let case = |name: &str, outcomes: [Outcome; 2]| CaseStudy {
            name: name.to_owned(),
            outcomes: outcomes.into_iter().map(Some).collect(),
            ..CaseStudy::default()
        };
        Study {
            cases: vec![
                case("today", [outcome(100, Some(50.0), 0), outcome(110, Some(50.0), 0)]),
                case("spot", [outcome(106, Some(70.0), 4), outcome(117, Some(71.0), 5)]),
            ],
            seeds: vec![1, 2],
            ..Study::default()
        }
    }

    fn parsed(text: &str) -> FailIf {
        FailIf::parse(&[text.to_owned()]).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    fn crossed(text: &str) -> Vec<String> {
        parsed(text).crossings(&study()).into_iter().map(|c| c.case).collect()
    }

    #[test]
    fn bounds_hold_or_not_by_hand() {
        let both = ["today", "spot"];
        let (spot, none): (&[&str], &[&str]) = (&["spot"], &[]);
        for (text, want) in [
            // Means 105 and 111.5; the difference is 6.5, 6.19 % of 105.
            ("cost>+6%", spot),
            ("cost>+6.5%", none),
            ("cost > +$6.4", spot),
            ("cost>+6.5", none),
            ("cost>=+6.5", spot),
            ("cost>105", spot),
            ("cost>=105", &both),
            ("cost<$105", none),
            ("case:today cost>100", &["today"]),
            ("cost<+0%", none),
            ("cost>-3%", spot),
            ("pending_p95>1m", spot),
            ("pending_p95>+20s", spot),
            ("pending_p95>70500ms", none),
            ("evictions>+5%", spot),
            ("evictions<=4.5", &both),
            ("case:spot workload:\"my web\" pending_p95>60s", spot),
            ("workload:\"my web\" cost>55", spot),
            ("workload:\"my web\" disruptions>0", spot),
            // Nothing served, nothing measured: no value, no crossing.
            ("cpu_requested_of_allocatable<80%", none),
            ("monthly>0", none),
        ] {
            assert_eq!(crossed(text), want, "{text}");
        }
    }

    #[test]
    fn a_crossing_says_by_how_much() {
        let say = |text: &str| parsed(text).crossings(&study()).remove(0).text;
        assert_eq!(say("cost>+5%"), "cost is $111.50, $6.50 above the baseline's $105.00 (+6.2 %)",);
        assert_eq!(say("pending_p95>60s"), "pending_p95 is 70.5 s, 10.5 s above 60.0 s");
        assert_eq!(
            say("evictions>+0"),
            "evictions is 4.5, 4.5 above the baseline's 0, which noise alone may explain",
        );
        assert_eq!(
            say("case:today cost>=105"),
            "cost is $105.00, exactly $105.00, within its interval of the bound"
        );
    }

    #[test]
    fn what_is_small_keeps_its_digits() {
        for (value, unit, share, want) in [
            (0.000_278, "core-hours", false, "0.00028 core-hours"),
            (0.04, "core-hours", false, "0.040 core-hours"),
            (0.0, "core-hours", false, "0.0 core-hours"),
            (1.25, "core-hours", false, "1.2 core-hours"),
            (-0.000_278, "core-hours", false, "-0.00028 core-hours"),
            (3.1e-12, "core-hours", false, "3.1e-12 core-hours"),
            (0.012, "s", false, "0.012 s"),
            (70.5, "s", false, "70.5 s"),
            (0.000_02, "USD", false, "$0.000020"),
            (0.25, "USD", false, "$0.2500"),
            (-6.5, "USD", false, "-$6.50"),
            (0.000_2, "", true, "0.020 %"),
            (0.8, "", true, "80.0 %"),
            (4.0, "", false, "4"),
            (0.05, "", false, "0.050"),
        ] {
            assert_eq!(shown(value, unit, share), want, "{value} {unit}");
        }
        let mut study = study();
        for outcome in study.cases[1].outcomes.iter_mut().flatten() {
            outcome.pods.unserved_core_hours = 0.000_278;
        }
        assert_eq!(
            parsed("unserved>0").crossings(&study).remove(0).text,
            "unserved_core_hours is 0.00028 core-hours, 0.00028 core-hours above 0.0 core-hours"
        );
    }

    #[test]
    fn a_case_of_a_sweep_is_all_its_combinations() {
        let study = crate::sweep::sample::sweep_sample();
        let labels = |text: &str| -> Vec<String> {
            parsed(text).crossings(&study).into_iter().map(|c| c.case).collect()
        };
        assert_eq!(labels("case:spot cost>0").len(), 9);
        assert_eq!(labels("cost>-1000%").len(), 17, "all but the baseline");
        let dear = labels("cost>+1%");
        assert!(!dear.is_empty() && dear.iter().all(|l| l.contains(", max 1")), "{dear:?}");
        assert_eq!(labels("workload:batch cost>0").len(), 18);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (text, words) in [
            (
                "pendng_p95>60s",
                &["unknown metric `pendng_p95`", "did you mean `pending_p95`", "1:1"][..],
            ),
            ("", &["a metric is missing", "metrics: cost,"]),
            ("cost", &["expected `>`", "cost>+5%"]),
            ("cost=5", &["expected `>`", "1:5"]),
            ("cost>", &["the bound is missing"]),
            ("cost>5%", &["needs a sign: +5% or -5%"]),
            ("cost>5 apples", &["no amount of USD", "1:6"]),
            ("cost>+-5%", &["no percentage"]),
            ("pending_p95>60", &["needs a unit", "as in 60s"]),
            ("evictions>inf", &["no number"]),
            ("evictions>$5", &["no number"]),
            ("case: cost>5", &["`case:` has no name"]),
            ("case:a case:b cost>5", &["`case:` is there twice"]),
            ("case:\"a cost>5", &["has no end"]),
            ("workload:web nodes_peak>5", &["over the whole cluster only", "metrics: cost,"]),
            ("disruptions>5", &["workload:NAME"]),
            // Headings of tables, which are no names.
            ("evicted>0", &["unknown metric `evicted`", "did you mean `evictions`?"]),
            ("lost>0", &["unknown metric `lost`", "did you mean `interruptions`?"]),
            ("interrupted>0", &["did you mean `interruptions`?"]),
        ] {
            let error = FailIf::parse(&[text.to_owned()]).expect_err(text);
            assert!(error.is_input());
            let said = error.to_string();
            assert!(words.iter().all(|w| said.contains(w)), "{text}: {said}");
        }
        // All mistakes at once.
        let error = FailIf::parse(&["cots>5".to_owned(), "cost>5%".to_owned()]).expect_err("two");
        let said = error.to_string();
        assert!(said.contains("`cots`") && said.contains("needs a sign"), "{said}");
    }

    #[test]
    fn names_must_exist() {
        let known = |n: &[&str]| n.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let (cases, workloads) = (known(&["today", "spot"]), known(&["my web"]));
        let check = |text: &str| parsed(text).check_names(&cases, &workloads);
        assert!(check("case:spot workload:\"my web\" cost>5").is_ok());
        let error = check("case:sopt cost>5").expect_err("unknown case").to_string();
        assert!(error.contains("there is no case `sopt`") && error.contains("`spot`"), "{error}");
        let error = check("workload:db cost>5").expect_err("unknown workload").to_string();
        assert!(error.contains("there is no workload `db`"), "{error}");
    }

    #[test]
    fn every_metric_can_be_named() {
        for name in Quantity::names(false) {
            assert!(Quantity::named(name, false).is_some(), "{name}");
        }
        for name in Quantity::names(true) {
            assert!(Quantity::named(name, true).is_some(), "{name}");
        }
    }
}
