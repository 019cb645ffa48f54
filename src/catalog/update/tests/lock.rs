//! What is written beside the tables.

use super::*;

#[test]
fn the_lock_states_the_hash_of_the_file() {
    let bench = Bench::new();
    let file = bench.file("advisor.json", &format!("{ADVISOR}\n\n"));
    bench.update(std::slice::from_ref(&file)).expect("imported");
    let bytes = std::fs::read(file).expect("there");
    let lock = bench.text(LOCK_FILE);
    assert!(lock.contains(&hex(&Sha256::digest(&bytes))), "{lock}");
    assert!(!lock.contains(&bench.0.path().display().to_string()), "{lock}");
    // The same files give the same bytes.
    let again = Bench::new();
    again.update(&[again.file("advisor.json", &format!("{ADVISOR}\n\n"))]).expect("imported");
    for name in [LOCK_FILE, "ec2-spot.csv", "sources.csv"] {
        assert_eq!(bench.text(name), again.text(name), "{name}");
    }
}
