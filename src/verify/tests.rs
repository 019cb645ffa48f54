//! The recorded scenarios beside the checkout, and odd input.

use super::run;
use crate::testing::shared_dir;

#[test]
fn every_recorded_decision_is_reproduced() {
    let Some(shared) = shared_dir() else { return };
    let report = run(&shared.join("conformance")).expect("scenarios");
    assert!(report.is_perfect(), "{}{}", report.table(), report.details());
    assert_eq!(report.scenarios.len(), 20);
    assert_eq!(report.total().decisions, 9_030);
}
