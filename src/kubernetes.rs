//! How values stand in the objects of the Kubernetes API, for whoever reads
//! some: `import` from a cluster, `verify` from records.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};

/// A missing value and an explicit `null` are the same to the API.
///
/// # Errors
/// When the value is none of its type.
pub(crate) fn or_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// A quantity as it was written; a plain number is one too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quantity(pub(crate) String);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(input)? {
            serde_json::Value::String(text) => Ok(Quantity(text)),
            serde_json::Value::Number(number) => Ok(Quantity(number.to_string())),
            other => Err(de::Error::custom(format!("expected a quantity, found {other}"))),
        }
    }
}

/// Resource name to quantity.
pub(crate) type Quantities = BTreeMap<String, Quantity>;
