//! A finished result, read back: `study.json` and the money of every
//! `summary.json`.
//!
//! `study.json` holds what the other files of a result leave out and a later
//! comparison needs: the settings in force and the value of every metric for
//! every seed, so that two results with equal seeds can be paired. Cost: a few
//! dozen bytes a case, metric and seed.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::compare::{Metric, WorkloadMetric};
use super::model::{Assumption, CaseStudy, Input, SCHEMA_VERSION, Study};
use super::outcome::TypeUse;
use super::output::OutputDir;
use crate::units::Money;
use crate::{Error, Result};

/// Largest file of a result that is read back.
const MAX_BYTES: u64 = 256 << 20;
/// What a result says of itself.
const STUDY: &str = "study.json";
/// What every result directory carries.
const MANIFEST: &str = ".plimsoll-result";

/// A finished result of `plimsoll run`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastStudy {
    /// Version of the layout.
    pub schema_version: u32,
    /// Version of the program that made it.
    pub plimsoll_version: String,
    /// Name of the scenario.
    pub scenario: String,
    /// AWS Region of the baseline.
    pub region: String,
    /// Whether every cell was run.
    pub complete: bool,
    /// Files that decided the result.
    pub inputs: Vec<Input>,
    /// Price table to the date of its prices.
    pub price_dates: BTreeMap<String, String>,
    /// Seeds, in the order of the values.
    pub seeds: Vec<u64>,
    /// Cases; the first is the baseline.
    pub cases: Vec<PastCase>,
}

/// A case of a finished result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastCase {
    /// Its name, also that of its directory.
    pub name: String,
    /// What to call it.
    pub title: String,
    /// Every setting in force.
    pub settings: Vec<PastSetting>,
    /// Per metric of the whole cluster, one value a seed; `None` where there
    /// is none. Metrics without any value are left out.
    pub metrics: BTreeMap<String, Vec<Option<f64>>>,
    /// The same by workload, in scenario order.
    pub workloads: Vec<PastWorkload>,
    /// Money and nodes of the first seed; `None` only in a result that was
    /// interrupted before that was run.
    #[serde(skip)]
    pub first: Option<PastSummary>,
}

/// A workload of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastWorkload {
    /// Its name in the scenario.
    pub name: String,
    /// As [`PastCase::metrics`].
    pub metrics: BTreeMap<String, Vec<Option<f64>>>,
}

/// A value that was in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastSetting {
    /// Path in the scenario; of the catalog, the item.
    pub path: String,
    /// The value as text.
    pub value: String,
    /// Who chose it: `scenario`, `default` or `catalog`.
    pub origin: String,
}

/// What `summary.json` says of the first seed's money and nodes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PastSummary {
    schema_version: u32,
    /// The seed.
    pub seed: u64,
    /// Its nodes.
    pub nodes: PastNodes,
    /// Its money.
    pub cost: PastCost,
}

/// Nodes by instance type.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PastNodes {
    /// Nodes of each type that ran.
    pub by_type: BTreeMap<String, TypeUse>,
}

/// Money along every grouping that `summary.json` has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PastCost {
    /// Net cost.
    #[serde(deserialize_with = "money")]
    pub total: Money,
    /// By pool.
    #[serde(deserialize_with = "money_by_name")]
    pub by_pool: BTreeMap<String, Money>,
    /// By way of buying.
    #[serde(deserialize_with = "money_by_name")]
    pub by_purchase: BTreeMap<String, Money>,
    /// By what is charged for.
    #[serde(deserialize_with = "money_by_name")]
    pub by_charge: BTreeMap<String, Money>,
    /// By workload, what is shared standing on its own.
    #[serde(deserialize_with = "money_by_name")]
    pub by_workload: BTreeMap<String, Money>,
}

impl PastCost {
    /// Every grouping under its name.
    #[must_use]
    pub fn groupings(&self) -> [(&'static str, &BTreeMap<String, Money>); 4] {
        [
            ("pool", &self.by_pool),
            ("purchase", &self.by_purchase),
            ("charge", &self.by_charge),
            ("workload", &self.by_workload),
        ]
    }
}

fn money<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Money, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

fn money_by_name<'de, D: Deserializer<'de>>(
    from: D,
) -> std::result::Result<BTreeMap<String, Money>, D::Error> {
    let texts = BTreeMap::<String, String>::deserialize(from)?;
    let parsed = texts.into_iter().map(|(name, text)| Ok((name, text.parse()?)));
    parsed
        .collect::<std::result::Result<_, crate::units::ParseUnitError>>()
        .map_err(serde::de::Error::custom)
}

impl PastCase {
    fn of(case: &CaseStudy, workloads: &[&str]) -> PastCase {
        let all = |value: &dyn Fn(&super::Outcome) -> Option<f64>| -> Option<Vec<Option<f64>>> {
            let values: Vec<Option<f64>> =
                case.outcomes.iter().map(|o| o.as_ref().and_then(value)).collect();
            values.iter().any(Option::is_some).then_some(values)
        };
        let metrics = Metric::ALL
            .into_iter()
            .filter_map(|m| Some((m.name().to_owned(), all(&|o| m.value(o))?)))
            .collect();
        let workloads = workloads.iter().map(|name| PastWorkload {
            name: (*name).to_owned(),
            metrics: WorkloadMetric::ALL
                .into_iter()
                .filter_map(|m| Some((m.name().to_owned(), all(&|o| m.value(o.workload(name)?))?)))
                .collect(),
        });
        PastCase {
            name: case.name.clone(),
            title: case.title.clone(),
            settings: case.settings.iter().map(PastSetting::of).collect(),
            metrics,
            workloads: workloads.filter(|w| !w.metrics.is_empty()).collect(),
            first: None,
        }
    }
}

impl PastSetting {
    fn of(setting: &Assumption) -> PastSetting {
        PastSetting {
            path: setting.path.clone(),
            value: setting.value.clone(),
            origin: setting.origin.name().to_owned(),
        }
    }
}

impl Study {
    /// Writes `study.json`.
    ///
    /// # Errors
    /// A failure where it cannot be written.
    pub fn write_past(&self, output: &OutputDir) -> Result<()> {
        let workloads = self.workloads();
        let past = PastStudy {
            schema_version: SCHEMA_VERSION,
            plimsoll_version: self.plimsoll_version.clone(),
            scenario: self.scenario.clone(),
            region: self.region.clone(),
            complete: self.complete,
            inputs: self.inputs.clone(),
            price_dates: self.price_dates.clone(),
            seeds: self.seeds.clone(),
            cases: self.cases.iter().map(|c| PastCase::of(c, &workloads)).collect(),
        };
        let failed = |e: &dyn Display| Error::failed(format!("cannot write {STUDY}: {e}"));
        let mut out = output.file(STUDY)?;
        serde_json::to_writer(&mut out, &past).map_err(|e| failed(&e))?;
        out.write_all(b"\n").and_then(|()| out.flush()).map_err(|e| failed(&e))
    }
}

impl PastStudy {
    /// Reads the result in a directory.
    ///
    /// # Errors
    /// Wrong input where there is none, where another version of the program
    /// wrote it in a layout this one does not read, or where it is damaged.
    pub fn open(directory: &Path) -> Result<PastStudy> {
        let shown = directory.display();
        if !directory.is_dir() {
            let what = if directory.exists() { "is no directory" } else { "does not exist" };
            return Err(Error::input(format!(
                "`{shown}` {what}; name a directory that `plimsoll run` wrote"
            )));
        }
        let path = directory.join(STUDY);
        if !path.exists() {
            let why = if directory.join("sweep.json").exists() {
                "holds a sweep; name a result of `plimsoll run`"
            } else if directory.join(MANIFEST).exists() {
                "was written by a plimsoll that kept no `study.json`; run its scenario again"
            } else {
                "is no result of `plimsoll run`: it has no `study.json`"
            };
            return Err(Error::input(format!("`{shown}` {why}")));
        }
        let mut study: PastStudy = read_json(&path)?;
        for case in &mut study.cases {
            // The file is ours, but its names become paths.
            OutputDir::check_case(&case.name).map_err(|e| e.context(path.display()))?;
            let summary = directory.join(&case.name).join("summary.json");
            if summary.exists() {
                case.first = Some(PastSummary::open(&summary)?);
            } else if study.complete {
                return Err(damaged(&summary, &"it is missing"));
            }
        }
        let seeds = study.seeds.len();
        let columns = study.cases.iter().flat_map(|c| {
            let of_workloads = c.workloads.iter().flat_map(|w| w.metrics.iter());
            c.metrics.iter().chain(of_workloads)
        });
        for (name, values) in columns {
            if values.len() != seeds || values.iter().flatten().any(|v| !v.is_finite()) {
                return Err(damaged(&path, &format!("`{name}` has not one number a seed")));
            }
        }
        Ok(study)
    }

    /// The case of this name.
    #[must_use]
    pub fn case(&self, name: &str) -> Option<&PastCase> {
        self.cases.iter().find(|c| c.name == name)
    }
}

impl PastSummary {
    fn open(path: &Path) -> Result<PastSummary> {
        let summary: PastSummary = read_json(path)?;
        for (name, parts) in summary.cost.groupings() {
            if parts.values().copied().sum::<Money>() != summary.cost.total {
                let why = format!("its cost by {name} does not add up to its total");
                return Err(damaged(path, &why));
            }
        }
        Ok(summary)
    }
}

pub(super) fn damaged(path: &Path, why: &dyn Display) -> Error {
    Error::input(format!("`{}` is damaged: {why}; run the scenario again", path.display()))
}

/// Reads a file of a result of this version's layout.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let text = read(path)?;
    // The version first: another layout would only look damaged.
    if let Ok(Version { schema_version }) = serde_json::from_str(&text)
        && schema_version != SCHEMA_VERSION
    {
        let remedy = if schema_version < SCHEMA_VERSION {
            "run its scenario again"
        } else {
            "a newer plimsoll wrote it: use that one"
        };
        return Err(Error::input(format!(
            "`{}` has layout {schema_version}, this plimsoll reads {SCHEMA_VERSION}; {remedy}",
            path.display()
        )));
    }
    serde_json::from_str(&text).map_err(|e| damaged(path, &e))
}

/// Reads a file of a result, up to `MAX_BYTES`.
///
/// # Errors
/// Wrong input where it cannot be read or is larger.
pub fn read(path: &Path) -> Result<String> {
    let size = fs::metadata(path).map_err(|e| Error::read(path, &e))?.len();
    if size > MAX_BYTES {
        return Err(Error::input(format!("`{}` is larger than 256 MiB", path.display())));
    }
    fs::read_to_string(path).map_err(|e| Error::read(path, &e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::Bill;
    use crate::sweep::{CostTotals, Detail, Outcome};
    use std::sync::Arc;

    fn written(dir: &Path) -> PastStudy {
        let outcome = |seed, pico| Outcome {
            seed,
            cost: CostTotals { total: Money::from_pico(pico), ..CostTotals::default() },
            ..Outcome::default()
        };
        let total = Money::from_pico(7);
        let by = BTreeMap::from([("x".to_owned(), total)]);
        let bill = Bill {
            total,
            by_pool: by.clone(),
            by_purchase: by.clone(),
            by_charge: by.clone(),
            by_workload: by,
            ..Bill::default()
        };
        let study = Study {
            scenario: "s".to_owned(),
            seeds: vec![4, 5],
            complete: true,
            cases: vec![CaseStudy {
                name: "c".to_owned(),
                settings: vec![Assumption {
                    path: "a.b".to_owned(),
                    value: "1".to_owned(),
                    origin: crate::sweep::Origin::Default,
                    note: String::new(),
                }],
                detail: Some(Detail { bill: Arc::new(bill), ..Detail::default() }),
                outcomes: vec![Some(outcome(4, 7)), Some(outcome(5, 9))],
                ..CaseStudy::default()
            }],
            ..Study::default()
        };
        let output = OutputDir::create(dir).expect("created");
        study.write_past(&output).expect("written");
        let summary = study.summary(0).expect("first seed");
        summary.write(output.file("c/summary.json").expect("file")).expect("written");
        output.finish().expect("finished");
        PastStudy::open(dir).expect("read back")
    }

    #[test]
    fn what_is_written_is_read_back() {
        let dir = tempfile::tempdir().expect("dir");
        let past = written(&dir.path().join("out"));
        let case = past.case("c").expect("the case");
        assert_eq!(case.metrics["cost"], [Some(7e-12), Some(9e-12)]);
        assert_eq!(case.settings[0].origin, "default");
        assert!(!case.metrics.contains_key("pending_p95"), "nothing waited");
        let first = case.first.as_ref().expect("a summary");
        assert_eq!((first.seed, first.cost.total), (4, Money::from_pico(7)));
        assert_eq!(first.cost.by_pool["x"], Money::from_pico(7));
    }

    #[test]
    fn what_is_no_result_is_refused_by_name() {
        let dir = tempfile::tempdir().expect("dir");
        let out = dir.path().join("out");
        written(&out);
        let refused = |words: &[&str]| {
            let error = PastStudy::open(&out).expect_err("refused");
            let said = error.to_string();
            assert!(error.is_input() && words.iter().all(|w| said.contains(w)), "{said}");
        };
        let change = |file: &str, from: &str, to: &str| {
            let path = out.join(file);
            let text = fs::read_to_string(&path).expect("text");
            assert!(text.contains(from), "{text}");
            fs::write(&path, text.replace(from, to)).expect("written");
            text
        };
        let put = |file: &str, text: String| fs::write(out.join(file), text).expect("written");
        for (file, from, to, words) in [
            (
                "study.json",
                "\"schema_version\":1",
                "\"schema_version\":0",
                &["has layout 0", "run its scenario again"][..],
            ),
            (
                "study.json",
                "\"schema_version\":1",
                "\"schema_version\":9",
                &["has layout 9", "newer plimsoll"],
            ),
            ("study.json", "\"seeds\":[4,5]", "\"seeds\":[4]", &["not one number a seed"]),
            ("study.json", "\"name\":\"c\"", "\"name\":\"../c\"", &["cannot name a directory"]),
            ("study.json", "{\"schema", "{{", &["is damaged", "line 1"]),
            ("c/summary.json", "\"x\": \"0.000000000007\"", "\"x\": \"1\"", &["does not add up"]),
            ("c/summary.json", "0.000000000007", "seven", &["is damaged"]),
        ] {
            let before = change(file, from, to);
            refused(words);
            put(file, before);
        }
        let summary = fs::read_to_string(out.join("c/summary.json")).expect("text");
        fs::remove_file(out.join("c/summary.json")).expect("removed");
        refused(&["summary.json", "it is missing"]);
        put("c/summary.json", summary);
        fs::remove_file(out.join("study.json")).expect("removed");
        refused(&["kept no `study.json`", "run its scenario again"]);
        put("sweep.json", "{}".to_owned());
        refused(&["holds a sweep"]);
        fs::remove_file(out.join("sweep.json")).expect("removed");
        fs::remove_file(out.join(MANIFEST)).expect("removed");
        refused(&["is no result of `plimsoll run`"]);
        fs::remove_dir_all(&out).expect("removed");
        refused(&["does not exist"]);
        fs::write(&out, "x").expect("written");
        refused(&["is no directory"]);
    }
}
