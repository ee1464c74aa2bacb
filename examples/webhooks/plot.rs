//! The attempts as a picture. The axis is logarithmic: each attempt is about twice as late as the one before.

use std::fmt::Write;
use std::time::Duration;

use crate::story::Attempt;

/// Where the marks of the axis are, in minutes, and what they say.
const MARKS: [(u64, &str); 6] =
    [(1, "1m"), (10, "10m"), (60, "1h"), (360, "6h"), (1_440, "24h"), (4_320, "72h")];
const END_MINUTES: f64 = 5_760.0;
/// Characters of the axis.
const WIDTH: usize = 72;
const LABEL: usize = 8;

/// Returns where a time stands, from 0 to 1.
fn place(at: Duration) -> f64 {
    let minutes = at.as_secs_f64() / 60.0;
    ((1.0 + minutes).ln() / (1.0 + END_MINUTES).ln()).clamp(0.0, 1.0)
}

fn column(at: Duration) -> usize {
    (place(at) * (WIDTH - 1) as f64).round() as usize
}

/// Returns the keys, in the order of their first attempts.
fn keys(attempts: &[Attempt]) -> Vec<&str> {
    let mut keys: Vec<&str> = Vec::new();
    for attempt in attempts {
        if !keys.contains(&attempt.key.as_str()) {
            keys.push(&attempt.key);
        }
    }
    keys.sort_by_key(|key| (key.split('-').next(), key.len(), *key));
    keys
}

/// Draws the first event of each receiver with characters.
pub(crate) fn on_terminal(attempts: &[Attempt]) -> String {
    let mut plot = String::new();
    for key in keys(attempts).into_iter().filter(|key| key.ends_with("-1")) {
        let mut row = vec!['·'; WIDTH];
        for attempt in attempts.iter().filter(|attempt| attempt.key == key) {
            row[column(attempt.at)] = if attempt.delivered { 'O' } else { 'x' };
        }
        let _ = writeln!(plot, "{key:LABEL$}{}", row.into_iter().collect::<String>());
    }
    let mut axis = vec![' '; WIDTH + 4];
    for (minutes, name) in MARKS {
        let from = column(Duration::from_secs(minutes * 60));
        for (cell, letter) in axis.iter_mut().skip(from).zip(name.chars()) {
            *cell = letter;
        }
    }
    let axis: String = axis.into_iter().collect();
    let _ = writeln!(plot, "{:LABEL$}{}", "", axis.trim_end());
    let _ = writeln!(plot, "{:LABEL$}x failed, O delivered; the axis is logarithmic", "");
    plot
}

/// Draws all events.
pub(crate) fn as_svg(attempts: &[Attempt]) -> String {
    let (left, width, row) = (80.0, 800.0, 16.0);
    let keys = keys(attempts);
    let bottom = row * (keys.len() + 1) as f64;
    let x = |at| left + place(at) * width;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        left + width + 40.0,
        bottom + 24.0
    );
    for (minutes, name) in MARKS {
        let at = x(Duration::from_secs(minutes * 60));
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"0\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>",
            bottom + 14.0
        );
    }
    for (number, key) in (1..).zip(&keys) {
        let y = row * f64::from(number);
        let _ = writeln!(svg, "<text x=\"4\" y=\"{:.1}\">{key}</text>", y + 4.0);
        for attempt in attempts.iter().filter(|attempt| attempt.key == *key) {
            let colour = if attempt.delivered { "#2a7" } else { "#c33" };
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\" fill-opacity=\"0.7\"/>",
                x(attempt.at)
            );
        }
    }
    svg + "</svg>\n"
}
