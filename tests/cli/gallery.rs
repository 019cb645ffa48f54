//! The committed gallery is what the commands in `reports/README.md` write.

use std::fs;

use super::{files, fine, root, scratch};

/// Runs a bundled scenario and holds its gallery against the result; charts
/// lie in a directory of their own there.
fn holds(verb: &str, scenario: &str, gallery: &str) {
    let dir = scratch();
    let file = root().join("workloads").join(scenario);
    fine(dir.path(), &[verb, file.to_str().expect("a path"), "-q", "-o", "out"]);
    let committed = files(&root().join("reports").join(gallery));
    assert!(committed.len() >= 3, "{gallery}: {:?}", committed.keys());
    for (name, bytes) in committed {
        let chart = name.extension().is_some_and(|e| e == "svg");
        let out = dir.path().join("out");
        let written = if chart { out.join("charts").join(&name) } else { out.join(&name) };
        let now = fs::read(&written).unwrap_or_else(|e| panic!("{}: {e}", written.display()));
        assert!(
            bytes == now,
            "reports/{gallery}/{} is old: run the command in reports/README.md",
            name.display()
        );
    }
}

#[test]
fn the_gallery_of_a_run_is_current() {
    holds("run", "ec2-vs-fargate.yaml", "ec2-vs-fargate");
}

#[test]
fn the_gallery_of_the_study_is_current() {
    holds("sweep", "studies/node-size-spot-plan.yaml", "node-size-spot-plan");
}
