//! A sheet to draw on in CSS pixels, and the SVG that comes of it.
//!
//! plotters works in whole pixels, so everything is drawn [`SCALE`] times as
//! large and shown smaller by the view box. Text is measured with DejaVu Sans,
//! linked in and wider than the fonts a browser will use: what fits here fits
//! there, and nothing depends on the machine's fonts.

use std::fmt::Write as _;
use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea as _, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color as _, FontDesc, FontFamily, FontStyle, ShapeStyle, TextStyle, register_font,
};

use super::super::text;
use super::theme::{self, Ink};

/// Drawing units in a CSS pixel.
const SCALE: f64 = 2.0;

/// plotters divides the size of a font by this when it writes SVG.
const FONT_SCALE: f64 = 1.24;

/// Size of titles, CSS pixels.
const TITLE: f64 = 15.0;
/// Size of all other text, CSS pixels.
pub(super) const LABEL: f64 = 12.0;
/// Distance between lines of labels.
pub(super) const LINE: f64 = 18.0;

/// Where a chart will be shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Width in CSS pixels.
    pub width: f64,
    /// A file of its own: carries its title and its colours. Otherwise the
    /// page does.
    pub standalone: bool,
}

impl Look {
    /// In a page on a wide screen or paper.
    pub const WIDE: Look = Look { width: 840.0, standalone: false };
    /// In a page on a phone.
    pub const NARROW: Look = Look { width: 350.0, standalone: false };
    /// A file of its own.
    pub const FILE: Look = Look { width: 840.0, standalone: true };

    /// Free space around a chart that stands alone.
    fn margin(self) -> f64 {
        if self.standalone { 12.0 } else { 0.0 }
    }

    /// Width that may be drawn on.
    pub(super) fn room(self) -> f64 {
        self.width - 2.0 * self.margin()
    }

    /// Whether labels must be short.
    #[must_use]
    pub fn is_narrow(self) -> bool {
        self.width < 500.0
    }
}

/// What a chart says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    /// What is seen.
    pub(super) title: &'a str,
    /// The same for those who cannot see it, with the figures that matter.
    pub(super) summary: &'a str,
}

/// Where text hangs relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hang {
    /// The point is its left end.
    Left,
    /// The point is its middle.
    Middle,
    /// The point is its right end.
    Right,
}

/// Draws in CSS pixels.
pub(super) struct Pen<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    /// Left end of what may be drawn on.
    pub(super) left: f64,
    /// Right end of what may be drawn on.
    pub(super) right: f64,
    /// First free line below the title.
    pub(super) top: f64,
}

/// Drawing into a string cannot fail once the font is known.
const DRAWS: &str = "drawing into a string with a registered font cannot fail";

fn fonts() {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        for (style, bytes) in
            [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())]
        {
            assert!(register_font("sans-serif", style, bytes).is_ok(), "the linked font is a font");
        }
    });
}

fn font(size: f64, bold: bool) -> FontDesc<'static> {
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    FontDesc::new(FontFamily::SansSerif, size * FONT_SCALE * SCALE, style)
}

/// Width of a text in CSS pixels.
pub(super) fn text_width(text: &str, size: f64, bold: bool) -> f64 {
    fonts();
    let (width, _) = font(size, bold).box_size(text).expect(DRAWS);
    // Bold system fonts may be wider than bold DejaVu is against its regular.
    f64::from(width) / SCALE + 1.0
}

/// The longest beginning of a text that fits, with an ellipsis where cut.
pub(super) fn fitted(text: &str, width: f64, bold: bool) -> String {
    let mut length = text.chars().count();
    let mut cut = text.to_owned();
    while length > 1 && text_width(&cut, LABEL, bold) > width {
        length -= 1;
        cut = text::shortened(text, length);
    }
    cut
}

/// Height a title takes, and its lines.
fn title_lines(look: Look, title: &str) -> Vec<String> {
    if !look.standalone {
        return Vec::new();
    }
    let mut lines: Vec<String> = Vec::new();
    for word in title.split(' ') {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), TITLE, true) <= look.room() => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Draws a chart; `body` is the height below the title.
pub(super) fn draw(
    look: Look,
    body: f64,
    about: About<'_>,
    paint: impl FnOnce(&mut Pen<'_>),
) -> String {
    fonts();
    let title = text::name(about.title);
    let titles = title_lines(look, &title);
    let margin = look.margin();
    let top = margin + titles.len() as f64 * 22.0 + if titles.is_empty() { 4.0 } else { 6.0 };
    let height = (top + body + margin).ceil();
    let mut svg = String::new();
    {
        let size = ((look.width * SCALE) as u32, (height * SCALE) as u32);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let mut pen = Pen { area, left: margin, right: look.width - margin, top };
        for (i, line) in titles.iter().enumerate() {
            let y = margin + 10.0 + i as f64 * 22.0;
            pen.text_sized(line, (margin, y), Hang::Left, Ink::Text, TITLE, true);
        }
        paint(&mut pen);
        pen.area.present().expect(DRAWS);
    }
    let (width, height) = (look.width, height);
    let mut root = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"pl\"");
    if look.standalone {
        let _ = write!(root, " width=\"{width}\" height=\"{height}\"");
    }
    let _ = write!(
        root,
        " viewBox=\"0 0 {} {}\" role=\"img\" font-family=\"sans-serif\" aria-label=\"{}\">",
        width * SCALE,
        height * SCALE,
        escaped(&text::name(about.summary)),
    );
    let mut head = String::new();
    if look.standalone {
        let _ = writeln!(head, "<title>{}</title>", escaped(&title));
        let _ = writeln!(head, "<style>{}</style>", theme::standalone_style());
    }
    theme::classed(&svg, &root, &head)
}

/// Text for XML content and attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

type Point = (f64, f64);

fn unit((x, y): Point) -> (i32, i32) {
    ((x * SCALE).round() as i32, (y * SCALE).round() as i32)
}

impl Pen<'_> {
    /// A label, vertically centred on its point.
    pub(super) fn text(&mut self, text: &str, at: Point, hang: Hang, ink: Ink) {
        self.text_sized(text, at, hang, ink, LABEL, false);
    }

    /// A bold label.
    pub(super) fn bold(&mut self, text: &str, at: Point, hang: Hang, ink: Ink) {
        self.text_sized(text, at, hang, ink, LABEL, true);
    }

    fn text_sized(&mut self, text: &str, at: Point, hang: Hang, ink: Ink, size: f64, bold: bool) {
        let h = match hang {
            Hang::Left => HPos::Left,
            Hang::Middle => HPos::Center,
            Hang::Right => HPos::Right,
        };
        let colour = ink.light();
        let style = TextStyle::from(font(size, bold)).color(&colour).pos(Pos::new(h, VPos::Center));
        self.area.draw(&Text::new(text::name(text), unit(at), style)).expect(DRAWS);
    }

    /// A line through points. Runs of equal coordinates are thinned out.
    pub(super) fn line(&mut self, points: &[Point], ink: Ink, width: f64) {
        let points = thinned(points);
        if points.len() < 2 {
            return;
        }
        let style =
            ShapeStyle::from(&ink.light()).stroke_width((width * SCALE).round().max(1.0) as u32);
        self.area.draw(&PathElement::new(points, style)).expect(DRAWS);
    }

    /// A filled outline; `alpha` below one lets the grid through.
    pub(super) fn area(&mut self, outline: &[Point], ink: Ink, alpha: f64) {
        let points = thinned(outline);
        if points.len() < 3 {
            return;
        }
        self.area
            .draw(&Polygon::new(points, ShapeStyle::from(ink.light().mix(alpha)).filled()))
            .expect(DRAWS);
    }

    /// A filled rectangle.
    pub(super) fn bar(&mut self, (x0, y0): Point, (x1, y1): Point, ink: Ink) {
        let corners = [unit((x0.min(x1), y0.min(y1))), unit((x0.max(x1), y0.max(y1)))];
        self.area
            .draw(&Rectangle::new(corners, ShapeStyle::from(&ink.light()).filled()))
            .expect(DRAWS);
    }

    /// A disc that lets through what is below it.
    pub(super) fn disc(&mut self, at: Point, radius: f64, ink: Ink, alpha: f64) {
        let style = ShapeStyle::from(ink.light().mix(alpha)).filled();
        self.area.draw(&Circle::new(unit(at), (radius * SCALE) as i32, style)).expect(DRAWS);
    }

    /// A ring.
    pub(super) fn ring(&mut self, (x, y): Point, radius: f64, ink: Ink) {
        // Cosines of 0 to 90 degrees in steps of 22.5: the same on every machine.
        const COS: [f64; 5] = [1.0, 0.923_879_5, std::f64::consts::FRAC_1_SQRT_2, 0.382_683_4, 0.0];
        let cos = |i: usize| match i % 16 {
            i @ 0..=4 => COS[i],
            i @ 5..=8 => -COS[8 - i],
            i @ 9..=12 => -COS[i - 8],
            i => COS[16 - i],
        };
        let points: Vec<Point> =
            (0..=16).map(|i| (x + radius * cos(i), y + radius * cos(i + 12))).collect();
        self.line(&points, ink, 1.5);
    }

    /// A dot with a rim of the ground, so that overlapping dots stay apart.
    pub(super) fn dot(&mut self, at: Point, radius: f64, ink: Ink) {
        for (r, ink) in [(radius + 1.5, Ink::Ground), (radius, ink)] {
            let style = ShapeStyle::from(&ink.light()).filled();
            self.area.draw(&Circle::new(unit(at), (r * SCALE) as i32, style)).expect(DRAWS);
        }
    }
}

/// Points in drawing units without those a straight run does not need.
fn thinned(points: &[Point]) -> Vec<(i32, i32)> {
    let mut out: Vec<(i32, i32)> = Vec::with_capacity(points.len());
    for p in points.iter().map(|p| unit(*p)) {
        if out.last() == Some(&p) {
            continue;
        }
        if let [.., a, b] = out[..] {
            let level = a.1 == b.1 && b.1 == p.1 && (a.0 <= b.0) == (b.0 <= p.0);
            let upright = a.0 == b.0 && b.0 == p.0 && (a.1 <= b.1) == (b.1 <= p.1);
            if level || upright {
                out.pop();
            }
        }
        out.push(p);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_runs_are_thinned() {
        let p =
            [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (2.0, 1.0), (2.0, 1.0), (2.0, 3.0), (2.0, 2.0)];
        assert_eq!(thinned(&p), [(0, 0), (4, 0), (4, 6), (4, 4)]);
    }

    #[test]
    fn a_ring_closes_around_its_middle() {
        let svg = draw(Look::WIDE, 40.0, About { title: "t", summary: "s" }, |pen| {
            pen.ring((20.0, 20.0), 10.0, Ink::Text);
        });
        // In drawing units: from (60, 40) over (40, 20)… wherever it turns.
        for point in ["60,40", "40,60", "20,40", "40,20"] {
            assert!(svg.contains(point), "{point}: {svg}");
        }
    }

    #[test]
    fn text_is_cut_to_its_room() {
        let long = "a-workload-with-a-name-that-goes-on-and-on";
        let cut = fitted(long, 100.0, false);
        assert!(cut.ends_with('…') && text_width(&cut, LABEL, false) <= 100.0, "{cut}");
        assert_eq!(fitted("web", 100.0, false), "web");
        assert_eq!(fitted("", 0.0, false), "");
    }
}
