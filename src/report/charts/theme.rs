//! Colours, in light and dark, and how they get into an SVG.
//!
//! Drawing happens in the light colours, each of them unique. Afterwards every
//! element gets a class per colour, so that CSS variables decide; the light
//! colours stay as attributes for viewers without CSS. A file of its own
//! carries the variables with a media query, a page defines them once.
//!
//! The categorical colours are those of Okabe and Ito, made for colour-blind
//! readers; in dark they are lifted until they keep 4.5:1 or better against
//! the ground; yellow and purple are darkened in light.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// What something is drawn in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Titles and values.
    Text,
    /// Axis labels and notes.
    Muted,
    /// The base line of an axis.
    Axis,
    /// Grid lines.
    Grid,
    /// The ground, for gaps between areas.
    Ground,
    /// A band behind the data.
    Shade,
    /// One of the [`SERIES`] colours, modulo their number.
    Series(usize),
    /// A series colour, dashed.
    Dashed(usize),
    /// A step of a scale from low to high, below `HEAT`.
    Heat(usize),
}

impl Ink {
    /// Blue: On-Demand, what is useful, what falls.
    pub const BLUE: Ink = Ink::Series(0);
    /// Orange: Spot, what is wasted, what rises.
    pub const ORANGE: Ink = Ink::Series(1);
    /// Bluish green: covered by a commitment.
    pub const GREEN: Ink = Ink::Series(2);
    /// Reddish purple: Fargate.
    pub const PURPLE: Ink = Ink::Series(3);
    /// Sky blue: overhead.
    pub const SKY: Ink = Ink::Series(4);
    /// Vermilion: covered by a Reserved Instance.
    pub const VERMILION: Ink = Ink::Series(5);
    /// Yellow: Fargate Spot.
    pub const YELLOW: Ink = Ink::Series(6);
    /// Grey: everything else.
    pub const GREY: Ink = Ink::Series(7);

    /// The colour of the `i`-th of many lines: solid first, then dashed.
    #[must_use]
    pub fn line(i: usize) -> Ink {
        if (i / (SERIES - 1)).is_multiple_of(2) {
            Ink::Series(i % (SERIES - 1))
        } else {
            Ink::Dashed(i % (SERIES - 1))
        }
    }

    fn row(self) -> usize {
        match self {
            Ink::Text => 0,
            Ink::Muted => 1,
            Ink::Axis => 2,
            Ink::Grid => 3,
            Ink::Ground => 4,
            Ink::Shade => 5,
            Ink::Series(i) | Ink::Dashed(i) => 6 + i % SERIES,
            Ink::Heat(i) => 6 + SERIES + i.min(HEAT - 1),
        }
    }

    /// What text on it is written in: the ground's colour on the deeper half
    /// of a scale, which is dark in light and bright in dark.
    #[must_use]
    pub fn over(self) -> Ink {
        match self {
            Ink::Heat(i) if i > HEAT / 2 => Ink::Ground,
            _ => Ink::Text,
        }
    }

    /// The light colour it is drawn in; unique, dashes included.
    pub(super) fn light(self) -> RGBColor {
        let (_, light, _) = PALETTE[self.row()];
        let blue = (light & 0xFF) as u8;
        let blue = if matches!(self, Ink::Dashed(_)) { blue ^ 1 } else { blue };
        RGBColor((light >> 16) as u8, (light >> 8) as u8, blue)
    }
}

/// Number of categorical colours.
pub const SERIES: usize = 8;

/// Steps of the scale from low to high.
pub(super) const HEAT: usize = 7;

/// (variable, light, dark) of every ink.
const PALETTE: [(&str, u32, u32); 6 + SERIES + HEAT] = [
    ("text", 0x1B_1F24, 0xE6_E9EE),
    ("muted", 0x5A_6270, 0xA3_ACBA),
    ("axis", 0x9A_A2AE, 0x6B_7483),
    ("grid", 0xE3_E6EB, 0x2E_343E),
    ("ground", 0xFF_FFFF, 0x15_181D),
    ("shade", 0xEC_EFF3, 0x23_2932),
    ("s0", 0x00_72B2, 0x4F_A8E0),
    ("s1", 0xE6_9F00, 0xE6_A11A),
    ("s2", 0x00_9E73, 0x2D_BF95),
    ("s3", 0xB8_5C8E, 0xDD_94BC),
    ("s4", 0x56_B4E9, 0x8F_CFF5),
    ("s5", 0xD5_5E00, 0xF0_8243),
    ("s6", 0xC4_AE00, 0xF0_E442),
    ("s7", 0x8A_919C, 0x8C_95A3),
    ("h0", 0xEA_F3FA, 0x1B_2733),
    ("h1", 0xD3_E5F3, 0x20_364A),
    ("h2", 0xB2_D2EA, 0x26_4A68),
    ("h3", 0x8A_BADF, 0x2E_5F88),
    ("h4", 0x2F_709F, 0x5C_9CCB),
    ("h5", 0x1F_557F, 0x8C_C0E6),
    ("h6", 0x0B_3A5E, 0xC4_E2F7),
];

/// Dash pattern of [`Ink::Dashed`], in drawing units.
const DASHES: &str = "10 6";

/// Declarations of the light or dark colours, for a rule of one's own.
#[must_use]
pub fn variables(dark: bool) -> String {
    PALETTE.iter().fold(String::new(), |mut css, (name, light, night)| {
        let colour = if dark { night } else { light };
        let _ = write!(css, "--pl-{name}:#{colour:06x};");
        css
    })
}

/// Rules that tie the classes of a chart to the variables.
#[must_use]
pub fn rules() -> String {
    let mut css = String::from(
        ".pl text{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",\
         Arial,\"DejaVu Sans\",sans-serif;unicode-bidi:isolate;\
         font-variant-numeric:tabular-nums}",
    );
    for (name, ..) in PALETTE {
        let _ =
            write!(css, ".pf-{name}{{fill:var(--pl-{name})}}.ps-{name}{{stroke:var(--pl-{name})}}");
    }
    css
}

/// The style block of a file of its own.
pub(super) fn standalone_style() -> String {
    format!(
        "svg{{{}background:var(--pl-ground)}}\
         @media(prefers-color-scheme:dark){{svg{{{}}}}}{}",
        variables(false),
        variables(true),
        rules()
    )
}

/// Gives every element the classes of its colours, drops attributes that say
/// nothing, and puts `head` where the root element opened (its old attributes
/// go).
pub(super) fn classed(svg: &str, root: &str, head: &str) -> String {
    let mut out = String::with_capacity(svg.len() + head.len());
    let mut rest = svg;
    let mut first = true;
    while let Some(open) = rest.find('<') {
        // Text: plotters ends it with a line break of its own.
        out.push_str(rest[..open].trim_end_matches('\n'));
        rest = &rest[open..];
        let Some(close) = rest.find('>') else { break };
        let tag = &rest[..=close];
        rest = &rest[close + 1..];
        if rest.starts_with('\n') {
            rest = &rest[1..];
        }
        if first {
            out.push_str(root);
            out.push('\n');
            out.push_str(head);
            first = false;
        } else {
            element(tag, &mut out);
        }
        if tag.starts_with("</") || tag.ends_with("/>") {
            out.push('\n');
        }
    }
    out
}

/// One tag of plotters' own making: attribute values hold no quotes and no
/// angle brackets, for plotters escapes them.
fn element(tag: &str, out: &mut String) {
    if tag.starts_with("</") {
        out.push_str(tag);
        return;
    }
    let inner = tag.trim_start_matches('<').trim_end_matches('>').trim_end_matches('/');
    let (name, mut attributes) = inner.split_once(' ').unwrap_or((inner, ""));
    out.push('<');
    out.push_str(name);
    let mut classes = String::new();
    let mut dashed = false;
    let mut kept = String::new();
    while let Some((key, after)) = attributes.split_once("=\"") {
        let Some((value, after)) = after.split_once('"') else { break };
        let (key, value) = (key.trim(), value.trim_end());
        attributes = after;
        let nothing = matches!(
            (name, key, value),
            (_, "opacity", "1")
                | (_, "font-family", _)
                | (_, "stroke", "none")
                | ("circle", "stroke-width", _)
        );
        if nothing {
            continue;
        }
        if let Some((ink, dash)) = ink_of(key, value) {
            let _ = write!(
                classes,
                "{}p{}-{ink}",
                if classes.is_empty() { "" } else { " " },
                &key[..1]
            );
            dashed |= dash;
        }
        let _ = write!(kept, " {key}=\"{value}\"");
    }
    if !classes.is_empty() {
        let _ = write!(out, " class=\"{classes}\"");
    }
    out.push_str(&kept);
    if dashed {
        let _ = write!(out, " stroke-dasharray=\"{DASHES}\"");
    }
    out.push_str(if tag.ends_with("/>") { "/>" } else { ">" });
}

/// The variable behind a colour attribute, and whether it is dashed.
fn ink_of(key: &str, value: &str) -> Option<(&'static str, bool)> {
    if key != "fill" && key != "stroke" {
        return None;
    }
    let colour = u32::from_str_radix(value.strip_prefix('#')?, 16).ok()?;
    PALETTE.iter().find(|(_, light, _)| *light == colour).map(|(name, ..)| (*name, false)).or_else(
        || PALETTE.iter().find(|(_, light, _)| light ^ 1 == colour).map(|(name, ..)| (*name, true)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_is_unique_with_its_dashed_twin() {
        let mut seen: Vec<u32> =
            PALETTE.iter().flat_map(|(_, light, _)| [*light, light ^ 1]).collect();
        seen.sort_unstable();
        let all = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }

    /// Contrast of two colours as WCAG 2 defines it.
    fn ratio(a: u32, b: u32) -> f64 {
        fn luminance(colour: u32) -> f64 {
            let channel = |shift: u32| {
                let c = f64::from((colour >> shift) & 0xFF) / 255.0;
                if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
        }
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn colours_contrast_with_their_ground() {
        let ground = PALETTE[Ink::Ground.row()];
        for (name, light, dark) in PALETTE {
            let (least_light, least_dark) = match name {
                "text" => (12.0, 12.0),
                "muted" => (4.5, 4.5),
                "axis" | "grid" | "ground" | "shade" => continue,
                // Areas with text on them; see below.
                _ if name.starts_with('h') => continue,
                _ => (2.0, 4.5),
            };
            assert!(ratio(light, ground.1) >= least_light, "{name} {}", ratio(light, ground.1));
            assert!(ratio(dark, ground.2) >= least_dark, "{name} {}", ratio(dark, ground.2));
        }
    }

    #[test]
    fn figures_on_a_scale_can_be_read() {
        let row = |ink: Ink| PALETTE[ink.row()];
        for i in 0..HEAT {
            let (ground, text) = (row(Ink::Heat(i)), row(Ink::Heat(i).over()));
            assert!(ratio(text.1, ground.1) >= 4.5, "light {i}: {}", ratio(text.1, ground.1));
            assert!(ratio(text.2, ground.2) >= 4.5, "dark {i}: {}", ratio(text.2, ground.2));
        }
        // The scale has one direction: each step contrasts more with the ground.
        let ground = row(Ink::Ground);
        for i in 1..HEAT {
            let (a, b) = (row(Ink::Heat(i - 1)), row(Ink::Heat(i)));
            assert!(ratio(b.1, ground.1) > ratio(a.1, ground.1), "light {i}");
            assert!(ratio(b.2, ground.2) > ratio(a.2, ground.2), "dark {i}");
        }
    }

    #[test]
    fn classes_are_added_and_text_is_left_alone() {
        let svg = "<svg width=\"9\">\n<rect opacity=\"1\" fill=\"#0072B2\" stroke=\"none\"/>\n\
                   <line stroke=\"#0072B3\"/>\n<text fill=\"#1B1F24\">\nfill=&quot;#0072B2&quot; &lt;b\n</text>\n</svg>\n";
        let out = classed(svg, "<svg x>", "<title>t</title>\n");
        assert!(out.starts_with("<svg x>\n<title>t</title>\n"), "{out}");
        assert!(out.contains("<rect class=\"pf-s0\" fill=\"#0072B2\"/>"), "{out}");
        assert!(out.contains("class=\"ps-s0\" stroke=\"#0072B3\" stroke-dasharray"), "{out}");
        assert!(out.contains("fill=\"#1B1F24\">fill=&quot;#0072B2&quot; &lt;b</text>"), "{out}");
    }
}
