//! The JSON Schema of scenario files, for editors and validators.

use serde_json::{Value as Json, json};

use super::decode::{Decode, Defs};
use super::model::Scenario;

/// The schema (draft 2020-12), derived from the declarations that also
/// derive the reader.
#[must_use]
pub fn json_schema() -> Json {
    let mut defs = Defs::default();
    let root = Scenario::schema(&mut defs);
    let mut out = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "plimsoll scenario",
    });
    if let (Some(object), Json::Object(root)) = (out.as_object_mut(), root) {
        object.extend(root);
        object.insert("$defs".to_owned(), defs.into_json());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `PLIMSOLL_BLESS=1` rewrites the committed file.
    #[test]
    fn the_committed_schema_is_current() {
        let path = std::path::Path::new(file!()).with_file_name("schema.json");
        let current = format!("{:#}\n", json_schema());
        if std::env::var_os("PLIMSOLL_BLESS").is_some() {
            std::fs::write(&path, &current).expect("writable");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == current, "schema.json is stale: run with PLIMSOLL_BLESS=1");
    }

    #[test]
    fn every_reference_resolves_and_every_key_is_described() {
        let schema = json_schema();
        let text = schema.to_string();
        for part in text.split("\"#/$defs/").skip(1) {
            let name = part.split('"').next().unwrap_or("");
            assert!(schema["$defs"][name].is_object(), "{name}");
        }
        for (name, def) in schema["$defs"].as_object().expect("definitions") {
            for (key, property) in def["properties"].as_object().into_iter().flatten() {
                assert!(property["description"].is_string(), "{name}.{key}");
            }
        }
    }
}
