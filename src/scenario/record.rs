//! The macros that declare the model: one declaration gives the documented
//! type, its reader, its known keys and its JSON Schema.
//!
//! * `record!` — a map with fixed keys; `one of` spreads a choice into it.
//! * `choice!` — exactly one of several keys, some with companions.
//! * `names!` — one of several words.
//! * `union!` — words, or a value told apart by its YAML kind.

/// A map with fixed keys. `"key" => field: Type` is required unless the type
/// may be absent; `= value` states the value of an absent key; `one of field:
/// Choice` spreads the keys of a `choice!`; `check function` at the end runs
/// after everything was read.
macro_rules! record {
    (
        $(#[doc = $doc:literal])*
        $(#[derive($($derive:ident),*)])?
        pub struct $name:ident $(<$g:ident: $bound:ident>)? {
            $( one of $cfield:ident: $cty:ty, )*
            $( $(#[doc = $fdoc:literal])* $key:literal => $field:ident: $ty:ty $(= $default:expr)?, )*
        }
        $(check $check:path;)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq $($(, $derive)*)?)]
        pub struct $name $(<$g: $bound>)? {
            $(
                #[doc = concat!("Exactly one of the keys of [`", stringify!($cty), "`].")]
                pub $cfield: $cty,
            )*
            $( $(#[doc = $fdoc])* pub $field: $ty, )*
        }

        impl $(<$g: $bound>)? $crate::scenario::decode::Record for $name $(<$g>)? {
            fn keys() -> Vec<&'static str> {
                #[allow(unused_mut)]
                let mut keys: Vec<&'static str> = vec![$($key),*];
                $( keys.extend(<$cty as $crate::scenario::decode::Record>::keys()); )*
                keys
            }
            fn decode_fields(
                fields: &mut $crate::scenario::decode::Fields<'_>,
                ctx: &mut $crate::scenario::decode::Ctx<'_>,
            ) -> Option<Self> {
                // Everything is read before the first `?`, so that all
                // mistakes are found.
                $( let $cfield = <$cty as $crate::scenario::decode::Record>::decode_fields(fields, ctx); )*
                $( let $field = record!(@field fields, ctx, $key $(, $default)?); )*
                let value = Self { $($cfield: $cfield?,)* $($field: $field?,)* };
                $( if !$check(&value, fields.owner(), ctx) { return None; } )?
                Some(value)
            }
            fn describe(
                object: &mut $crate::scenario::decode::ObjectSchema,
                defs: &mut $crate::scenario::decode::Defs,
            ) {
                $( <$cty as $crate::scenario::decode::Record>::describe(object, defs); )*
                $( {
                    let schema = <$ty as $crate::scenario::decode::Decode>::schema(defs);
                    let doc = $crate::scenario::decode::doc_text(&[$($fdoc),*]);
                    let required = record!(@required $ty $(, $default)?);
                    object.property($key, schema, &doc, required);
                } )*
            }
        }
        record!(@decode $name $(<$g: $bound>)?, [$($doc),*]);
    };
    (@field $fields:ident, $ctx:ident, $key:literal) => { $fields.field($key, $ctx) };
    (@field $fields:ident, $ctx:ident, $key:literal, $default:expr) => {
        $fields.field_or($key, $ctx, || $default)
    };
    (@required $ty:ty) => { <$ty as $crate::scenario::decode::Decode>::absent().is_none() };
    (@required $ty:ty, $default:expr) => { false };
    (@decode $name:ident, [$($doc:literal),*]) => {
        impl $crate::scenario::decode::Decode for $name {
            fn decode(
                node: &$crate::scenario::tree::Node,
                ctx: &mut $crate::scenario::decode::Ctx<'_>,
            ) -> Option<Self> {
                $crate::scenario::decode::decode_record(node, ctx)
            }
            fn schema(defs: &mut $crate::scenario::decode::Defs) -> serde_json::Value {
                let doc = $crate::scenario::decode::doc_text(&[$($doc),*]);
                $crate::scenario::decode::record_schema::<Self>(stringify!($name), &doc, defs)
            }
        }
    };
    (@decode $name:ident <$g:ident: $bound:ident>, [$($doc:literal),*]) => {
        impl<$g: $bound> $crate::scenario::decode::Decode for $name<$g> {
            fn decode(
                node: &$crate::scenario::tree::Node,
                ctx: &mut $crate::scenario::decode::Ctx<'_>,
            ) -> Option<Self> {
                $crate::scenario::decode::decode_record(node, ctx)
            }
            fn schema(defs: &mut $crate::scenario::decode::Defs) -> serde_json::Value {
                let doc = $crate::scenario::decode::doc_text(&[$($doc),*]);
                let name = format!("{}Of{}", stringify!($name), <$g as $bound>::NAME);
                $crate::scenario::decode::record_schema::<Self>(&name, &doc, defs)
            }
        }
    };
}

/// Exactly one of several keys. `"key" => Variant(Type)`; with `+ Companions`
/// the variant also holds a record whose keys stand beside the chosen one.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident $(<$g:ident: $bound:ident>)? {
            $( $(#[doc = $vdoc:literal])* $key:literal => $variant:ident($ty:ty $(, + $extra:ty)?), )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name $(<$g: $bound>)? {
            $( $(#[doc = $vdoc])* $variant($ty $(, $extra)?), )*
        }

        impl $(<$g: $bound>)? $crate::scenario::decode::Record for $name $(<$g>)? {
            fn keys() -> Vec<&'static str> {
                #[allow(unused_mut)]
                let mut keys: Vec<&'static str> = vec![$($key),*];
                $( $( keys.extend(<$extra as $crate::scenario::decode::Record>::keys()); )? )*
                keys
            }
            fn decode_fields(
                fields: &mut $crate::scenario::decode::Fields<'_>,
                ctx: &mut $crate::scenario::decode::Ctx<'_>,
            ) -> Option<Self> {
                match fields.choose(&[$($key),*], ctx)? {
                    $( $key => choice!(@build fields, ctx, $variant, $key $(, $extra)?), )*
                    _ => None,
                }
            }
            fn describe(
                object: &mut $crate::scenario::decode::ObjectSchema,
                defs: &mut $crate::scenario::decode::Defs,
            ) {
                let mut variants = Vec::new();
                $( {
                    let schema = <$ty as $crate::scenario::decode::Decode>::schema(defs);
                    let doc = $crate::scenario::decode::doc_text(&[$($vdoc),*]);
                    object.property($key, schema, &doc, false);
                    #[allow(unused_mut)]
                    let mut extra = $crate::scenario::decode::ObjectSchema::default();
                    $( <$extra as $crate::scenario::decode::Record>::describe(&mut extra, defs); )?
                    variants.push(($key, extra));
                } )*
                object.choice(variants);
            }
        }
        record!(@decode $name $(<$g: $bound>)?, [$($doc),*]);
    };
    (@build $fields:ident, $ctx:ident, $variant:ident, $key:literal) => {
        $fields.field($key, $ctx).map(Self::$variant)
    };
    (@build $fields:ident, $ctx:ident, $variant:ident, $key:literal, $extra:ty) => {{
        let value = $fields.field($key, $ctx);
        let extra = <$extra as $crate::scenario::decode::Record>::decode_fields($fields, $ctx);
        match (value, extra) {
            (Some(value), Some(extra)) => Some(Self::$variant(value, extra)),
            _ => None,
        }
    }};
}

/// One of several words.
macro_rules! names {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident { $( $(#[doc = $vdoc:literal])* $word:literal => $variant:ident, )* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[doc = $vdoc])* $variant, )* }

        impl $name {
            /// The word a scenario uses.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::scenario::decode::Decode for $name {
            fn decode(
                node: &$crate::scenario::tree::Node,
                ctx: &mut $crate::scenario::decode::Ctx<'_>,
            ) -> Option<Self> {
                const WORDS: &[&str] = &[$($word),*];
                match &node.value {
                    $( $crate::scenario::tree::Value::String(s) if s == $word => {
                        Some(Self::$variant)
                    } )*
                    _ => {
                        $crate::scenario::leaf::refuse_word(node, WORDS, ctx);
                        None
                    }
                }
            }
            fn schema(_: &mut $crate::scenario::decode::Defs) -> serde_json::Value {
                serde_json::json!({ "enum": [$($word),*] })
            }
        }
    };
}

/// Words, in a block of their own, or a value told apart by its kind: `[number]`, `[text]`,
/// `[scalar]` (either), `[map]`, `[list]`.
macro_rules! union {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $(words { $( $(#[doc = $wdoc:literal])* $word:literal => $unit:ident, )* })?
            $( $(#[doc = $vdoc:literal])* [$kind:ident] => $variant:ident($ty:ty), )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($( $(#[doc = $wdoc])* $unit, )*)?
            $( $(#[doc = $vdoc])* $variant($ty), )*
        }

        impl $crate::scenario::decode::Decode for $name {
            fn decode(
                node: &$crate::scenario::tree::Node,
                ctx: &mut $crate::scenario::decode::Ctx<'_>,
            ) -> Option<Self> {
                const WORDS: &[&str] = &[$($($word),*)?];
                const KINDS: &[&str] = &[$(stringify!($kind)),*];
                match &node.value {
                    $($( $crate::scenario::tree::Value::String(s) if s == $word => {
                        return Some(Self::$unit);
                    } )*)?
                    _ => {}
                }
                if $crate::scenario::leaf::is_misspelt_word(node, WORDS) {
                    $crate::scenario::leaf::refuse_word(node, WORDS, ctx);
                    return None;
                }
                $( if $crate::scenario::leaf::is_kind(node, stringify!($kind)) {
                    return <$ty as $crate::scenario::decode::Decode>::decode(node, ctx)
                        .map(Self::$variant);
                } )*
                $crate::scenario::leaf::refuse_kind(node, WORDS, KINDS, ctx);
                None
            }
            fn schema(defs: &mut $crate::scenario::decode::Defs) -> serde_json::Value {
                let words: &[&str] = &[$($($word),*)?];
                let mut any = Vec::new();
                if !words.is_empty() {
                    any.push(serde_json::json!({ "enum": words }));
                }
                $( any.push(<$ty as $crate::scenario::decode::Decode>::schema(defs)); )*
                serde_json::json!({ "anyOf": any })
            }
        }
    };
}

pub(super) use {choice, names, record, union};
