//! The committed tables and what they are built from.

use super::*;

#[test]
fn a_rebuild_gives_the_committed_bytes() {
    let Some(shared) = shared_dir() else { return };
    let out = tempfile::tempdir().expect("a directory");
    let written = build::build(&shared.join("facts"), out.path()).expect("facts build");
    assert_eq!(written.len(), EMBEDDED.len());
    for (name, committed) in EMBEDDED {
        let built = std::fs::read_to_string(out.path().join(name)).expect(name);
        assert!(built == committed, "{name} differs: rebuild pricing/ and commit it");
        let sum = hex(&Sha256::digest(built.as_bytes()));
        assert!(written.iter().any(|(n, s)| n == name && *s == sum), "{name}");
    }
    let total: usize = EMBEDDED.iter().map(|(_, text)| text.len()).sum();
    assert!(total <= 2 << 20, "{total} bytes");
    // A directory with the same bytes is the same catalog.
    let other = Catalog::load(Some(out.path())).expect("well formed");
    assert_eq!(other.hash(), embedded().hash());
    assert_eq!(other.hash().len(), 64);
}

#[test]
fn a_build_without_facts_writes_nothing() {
    let empty = tempfile::tempdir().expect("a directory");
    let out = empty.path().join("out");
    let error = build::build(empty.path(), &out).expect_err("no facts").to_string();
    assert!(error.contains("ec2-instance-types.csv"), "{error}");
    assert!(!out.exists());
}

#[test]
fn the_readme_counts_the_rows() {
    let readme = include_str!("../../../pricing/README.md");
    for (file, text) in EMBEDDED {
        let start = format!("| `{file}` | ");
        let line = readme.lines().find_map(|line| line.strip_prefix(&start)).expect(file);
        let count: String = line.chars().take_while(|c| *c != ' ').filter(|c| *c != ',').collect();
        assert_eq!(count.parse().ok(), Some(text.lines().count() - 1), "{file}");
    }
}
