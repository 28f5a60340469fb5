//! Bars, as SVG that scales with the page.

use super::figures::Day;
use super::html::escaped;
use crate::words::grouped;

/// The size of a chart by day, in units of its own.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 180.0;
/// Room for the days below the bars, and for the highest value at the left.
const BELOW: f64 = 20.0;
const LEFT: f64 = 8.0;
/// Days that are named below a chart.
const NAMED: usize = 6;

/// A part of each bar: what it is, its tone, and its value on a day.
pub(super) type Part = (&'static str, &'static str, fn(&Day) -> u64);

/// Bars of days, with parts upon each other.
pub(super) fn bars_by_day(title: &str, days: &[Day], parts: &[Part]) -> String {
    let sum = |day: &Day| parts.iter().map(|(_, _, value)| value(day)).sum::<u64>();
    let highest = days.iter().map(sum).max().unwrap_or(0).max(1);
    let step = (WIDTH - LEFT) / days.len().max(1) as f64;
    let mut bars = String::new();
    for (place, day) in days.iter().enumerate() {
        let x = LEFT + step * place as f64;
        let mut bottom = HEIGHT - BELOW;
        let told: Vec<String> = parts
            .iter()
            .map(|(name, _, value)| format!("{} {name}", grouped(value(day))))
            .collect();
        let mut of_day = String::new();
        for (_, tone, value) in parts {
            let height = (HEIGHT - BELOW - 20.0) * value(day) as f64 / highest as f64;
            bottom -= height;
            if height > 0.0 {
                of_day.push_str(&format!(
                    "<rect class=\"{tone}\" x=\"{:.1}\" y=\"{bottom:.1}\" width=\"{:.1}\" \
                     height=\"{:.1}\"/>",
                    x + step * 0.1,
                    step * 0.8,
                    height.max(1.0),
                ));
            }
        }
        let every = days.len().div_ceil(NAMED).max(1);
        if (days.len() - 1 - place).is_multiple_of(every) {
            let name = day.name.get(5..).unwrap_or(&day.name);
            // The last one would not fit below its bar.
            let (x, anchor) = match place + 1 == days.len() {
                true => (WIDTH, "end"),
                false => (x + step / 2.0, "middle"),
            };
            of_day.push_str(&format!(
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{name}</text>",
                HEIGHT - 5.0,
            ));
        }
        bars.push_str(&format!(
            "<g><title>{}: {}</title><rect class=\"back\" x=\"{x:.1}\" y=\"0\" width=\"{step:.1}\" \
             height=\"{:.1}\"/>{of_day}</g>\n",
            day.name,
            told.join(", "),
            HEIGHT - BELOW,
        ));
    }
    let legend =
        parts.iter().map(|(name, tone, _)| format!("<span><i class=\"{tone}\"></i>{name}</span> "));
    format!(
        "<figure>\n<figcaption>{title} by day <span class=\"legend\">{}</span></figcaption>\n<svg \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title} by day\">\n{bars}<text \
         x=\"{LEFT}\" y=\"12\">{}</text>\n</svg>\n</figure>\n",
        legend.collect::<String>(),
        grouped(highest),
    )
}

/// Bars beside names. Each has its name, its value, and what is written behind it.
pub(super) fn bars_by_name(title: &str, bars: &[(String, f64, String)], tone: &str) -> String {
    if bars.is_empty() {
        return String::new();
    }
    let longest = bars.iter().map(|(_, value, _)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let (row, names, room) = (24.0, 170.0, 190.0);
    let mut drawn = String::new();
    for (place, (name, value, told)) in bars.iter().enumerate() {
        let y = row * place as f64;
        let width = (WIDTH - names - room) * value / longest;
        drawn.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><rect class=\"{tone}\" \
             x=\"{names}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/><text x=\"{:.1}\" \
             y=\"{:.1}\">{}</text>\n",
            names - 8.0,
            y + 16.0,
            escaped(name),
            y + 4.0,
            width.max(1.0),
            row - 8.0,
            names + width.max(1.0) + 8.0,
            y + 16.0,
            escaped(told),
        ));
    }
    format!(
        "<figure>\n<figcaption>{title}</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" \
         aria-label=\"{title}\">\n{drawn}</svg>\n</figure>\n",
        row * bars.len() as f64,
    )
}
