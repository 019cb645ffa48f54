//! What tests share: where the reference data lies.

use std::path::PathBuf;

/// The directory of reference data beside the checkout, or `None` with a
/// printed reason. Where `PLIMSOLL_REQUIRE_SHARED` is set its absence fails
/// the test, so that continuous integration cannot skip it by accident.
pub(crate) fn shared_dir() -> Option<PathBuf> {
    let dir = std::env::var_os("PLIMSOLL_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    assert!(
        std::env::var_os("PLIMSOLL_REQUIRE_SHARED").is_none(),
        "PLIMSOLL_REQUIRE_SHARED is set but {} is absent",
        dir.display()
    );
    eprintln!("skipped: {} is absent", dir.display());
    None
}
