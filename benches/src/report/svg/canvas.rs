//! The few elements of SVG that the plots are made of.

use std::fmt::Write;

pub(super) const INK: &str = "#111827";
pub(super) const TEXT: &str = "#374151";
pub(super) const FAINT: &str = "#6b7280";

const FONT: &str = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";

/// Which end of a text its position is.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    End,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) anchor: Anchor,
    pub(super) size: usize,
    pub(super) bold: bool,
    pub(super) colour: &'static str,
}

impl Style {
    pub(super) const PLAIN: Self = Self { anchor: Anchor::Start, size: 11, bold: false, colour: TEXT };
    pub(super) const RIGHT: Self = Self { anchor: Anchor::End, ..Self::PLAIN };

    pub(super) const fn bold(self, bold: bool) -> Self {
        Self { bold, ..self }
    }

    pub(super) const fn colour(self, colour: &'static str) -> Self {
        Self { colour, ..self }
    }

    pub(super) const fn size(self, size: usize) -> Self {
        Self { size, ..self }
    }
}

/// An SVG file in the making.
#[derive(Default)]
pub(super) struct Canvas(String);

impl Canvas {
    pub(super) fn text(&mut self, x: usize, y: usize, style: Style, text: &str) {
        let anchor = if matches!(style.anchor, Anchor::End) { " text-anchor=\"end\"" } else { "" };
        let weight = if style.bold { " font-weight=\"600\"" } else { "" };
        let Style { size, colour, .. } = style;
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        self.push(&format!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\"{anchor}{weight}>{text}</text>"
        ));
    }

    pub(super) fn rect(&mut self, x: usize, y: usize, width: f64, height: usize, colour: &str) {
        self.push(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{colour}\"/>"
        ));
    }

    pub(super) fn line(&mut self, path: &str, colour: &str) {
        self.push(&format!("<path d=\"{path}\" stroke=\"{colour}\" stroke-opacity=\"0.7\" fill=\"none\"/>"));
    }

    /// Returns the file, on white: a README may be shown on black.
    pub(super) fn finish(self, width: usize, height: usize) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"{FONT}\">\n\
             <rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"#ffffff\"/>\n{}</svg>\n",
            self.0
        )
    }

    fn push(&mut self, element: &str) {
        writeln!(self.0, "{element}").expect("writing to a string does not fail");
    }
}
