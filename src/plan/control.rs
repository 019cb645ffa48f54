//! The components that decide beside the scheduler: the Cluster Autoscaler, the
//! Spot market.

use super::defaults::{AUTOSCALER_NOTE, KUBERNETES, NOTICE, SHOCK_SHARE};
use super::notes::Notes;
use crate::catalog;
use crate::lifecycle::SpotSpec;
use crate::rng::ln;
use crate::scale::cluster_autoscaler::{Config, Expander};
use crate::scenario::{self, InterruptionRate, Interruptions, Scenario, Spanned};
use crate::units::Percent;

/// A version of Kubernetes whose behaviour is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// As in `1.35`.
    pub(super) text: String,
    /// As in 35.
    pub(super) minor: u32,
}

/// The newest version that is known.
pub(super) fn newest() -> Version {
    // A test holds that the default is a known one.
    let minor = KUBERNETES.value.strip_prefix("1.").and_then(|m| m.parse().ok());
    Version { text: KUBERNETES.value.to_owned(), minor: minor.unwrap_or_default() }
}

/// Links `versions`.
pub(super) fn version(scenario: &Scenario, notes: &mut Notes<'_>) -> Version {
    let of = |text: &str| {
        let minor = text.strip_prefix("1.").and_then(|m| m.parse().ok())?;
        catalog::kubernetes_versions()
            .any(|known| known == text)
            .then(|| Version { text: text.to_owned(), minor })
    };
    let newest = of(KUBERNETES.value).expect("the default version is a known one");
    let Some(given) = &scenario.versions.kubernetes else {
        notes.default("versions.kubernetes", KUBERNETES.value, KUBERNETES.note);
        return newest;
    };
    of(given).unwrap_or_else(|| {
        let message = format!("unknown Kubernetes version {}", scenario::quote(given));
        let choices: Vec<&str> = catalog::kubernetes_versions().collect();
        notes.diags.error(given.span, message).help(format!("known are {}", choices.join(", ")));
        newest
    })
}

/// Links `autoscaler` for a cluster that has one.
pub(super) fn autoscaler(scenario: &Scenario, version: &Version, notes: &mut Notes<'_>) -> Config {
    let it = &scenario.autoscaler;
    let mut config = Config::for_version(version.minor);
    let path = |key: &str| format!("autoscaler.{key}");
    let mut durations = [
        ("scan-interval", it.scan_interval.map(|d| d.value.0), &mut config.scan_interval),
        (
            "scale-down-unneeded-time",
            it.scale_down_unneeded_time.map(|d| d.value),
            &mut config.scale_down_unneeded_time,
        ),
        (
            "scale-down-delay-after-add",
            it.scale_down_delay_after_add.map(|d| d.value),
            &mut config.scale_down_delay_after_add,
        ),
        (
            "new-pod-scale-up-delay",
            it.new_pod_scale_up_delay.map(|d| d.value),
            &mut config.new_pod_scale_up_delay,
        ),
    ];
    for (key, given, slot) in &mut durations {
        match given {
            Some(given) => **slot = *given,
            None => notes.default(path(key), **slot, AUTOSCALER_NOTE),
        }
    }
    let mut counts = [
        (
            "max-nodes-per-scaleup",
            it.max_nodes_per_scaleup.map(|n| n.value.get()),
            &mut config.max_nodes_per_scaleup,
        ),
        (
            "max-scale-down-parallelism",
            it.max_scale_down_parallelism.map(|n| n.value.get()),
            &mut config.max_scale_down_parallelism,
        ),
        (
            "max-drain-parallelism",
            it.max_drain_parallelism.map(|n| n.value.get()),
            &mut config.max_drain_parallelism,
        ),
    ];
    for (key, given, slot) in &mut counts {
        match given {
            Some(given) => **slot = u32::try_from(*given).unwrap_or(u32::MAX),
            None => notes.default(path(key), **slot, AUTOSCALER_NOTE),
        }
    }
    if let Some(given) = it.scale_down_enabled {
        config.scale_down_enabled = given.value;
    } else {
        let value = config.scale_down_enabled;
        notes.default(path("scale-down-enabled"), value, AUTOSCALER_NOTE);
    }
    if let Some(given) = it.scale_down_utilization_threshold {
        let ppm = (given.value.0 * 1e6).round() as i64;
        config.scale_down_utilization_threshold = Percent { ppm };
    } else {
        let value = config.scale_down_utilization_threshold.ppm as f64 / 1e6;
        notes.default(path("scale-down-utilization-threshold"), value, AUTOSCALER_NOTE);
    }
    if let Some(given) = it.expander {
        config.expanders = vec![match given.value {
            scenario::Expander::LeastWaste => Expander::LeastWaste,
            scenario::Expander::MostPods => Expander::MostPods,
            scenario::Expander::LeastNodes => Expander::LeastNodes,
            scenario::Expander::Random => Expander::Random,
        }];
    } else {
        let names: Vec<&str> = config.expanders.iter().map(|e| expander_name(*e)).collect();
        notes.default(path("expander"), names.join(","), AUTOSCALER_NOTE);
    }
    config
}

const fn expander_name(expander: Expander) -> &'static str {
    match expander {
        Expander::Random => "random",
        Expander::MostPods => "most-pods",
        Expander::LeastNodes => "least-nodes",
        Expander::LeastWaste => "least-waste",
    }
}

/// How often Spot nodes are reclaimed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Hazard {
    /// As the catalog says of each type.
    Advisor,
    /// For all types, reclaims per running hour.
    Fixed(f64),
}

/// Hours in a month, as rates per month are converted.
const MONTH_HOURS: f64 = 730.0;

/// Interruptions per hour, where a share is interrupted in a month.
pub(super) fn hazard_of(per_month: Percent) -> f64 {
    let kept = (1_000_000 - per_month.ppm).clamp(1, 1_000_000) as f64 / 1e6;
    -ln(kept) / MONTH_HOURS
}

/// Links `spot`; defaults are stated only where some pool buys Spot.
pub(super) fn spot(scenario: &Scenario, bought: bool, notes: &mut Notes<'_>) -> (SpotSpec, Hazard) {
    let it = &scenario.spot;
    let hazard = match &it.interruptions {
        Some(Spanned { value: Interruptions::Advisor, .. }) => Hazard::Advisor,
        Some(Spanned { value: Interruptions::None, .. }) => Hazard::Fixed(0.0),
        Some(Spanned { value: Interruptions::Rate(InterruptionRate { per_month }), .. }) => {
            if per_month.value.ppm >= 1_000_000 {
                notes.diags.error(per_month.span, "a share of instances per month below 100%");
            }
            Hazard::Fixed(hazard_of(per_month.value))
        }
        None => {
            if bought {
                let note = "the published band of each type, read as its middle";
                notes.default("spot.interruptions", "advisor", note);
            }
            Hazard::Advisor
        }
    };
    let share = it.shock_share.map(|s| s.value.0);
    let notice = it.notice.map(|d| d.value);
    if bought && share.is_none() {
        notes.default("spot.shock-share", SHOCK_SHARE.value, SHOCK_SHARE.note);
    }
    if bought && notice.is_none() {
        notes.default("spot.notice", NOTICE.value, NOTICE.note);
    }
    let spec = SpotSpec {
        shock_share: share.unwrap_or(SHOCK_SHARE.value).ppm as f64 / 1e6,
        notice: notice.unwrap_or(NOTICE.value),
    };
    (spec, hazard)
}
