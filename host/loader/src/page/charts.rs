//! Bars, as SVG that scales with the page.

use super::figures::Day;
use super::html::escaped;
use crate::words::grouped;

/// The size of a chart by day, in units of its own: it is drawn as wide and as high as there is
/// room.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 140.0;
/// Days that are named below a chart.
const NAMED: usize = 6;

/// A part of each bar: what it is, its tone, and its value on a day.
pub(super) type Part = (&'static str, &'static str, fn(&Day) -> u64);

/// Bars of days, with parts upon each other. Letters stand beside the drawing and not in it: they
/// keep their size where it is small.
pub(super) fn bars_by_day(title: &str, days: &[Day], parts: &[Part]) -> String {
    let sum = |day: &Day| parts.iter().map(|(_, _, value)| value(day)).sum::<u64>();
    let highest = days.iter().map(sum).max().unwrap_or(0).max(1);
    let step = WIDTH / days.len().max(1) as f64;
    let bars: String = days
        .iter()
        .enumerate()
        .map(|(place, day)| bar(day, parts, step * place as f64, step, highest))
        .collect();
    let legend =
        parts.iter().map(|(name, tone, _)| format!("<span><i class=\"{tone}\"></i>{name}</span> "));
    let every = days.len().saturating_sub(1).div_ceil(NAMED - 1).max(1);
    let named = days.iter().rev().step_by(every).map(|day| day.name.get(5..).unwrap_or(&day.name));
    let named: Vec<String> = named.map(|name| format!("<span>{name}</span>")).collect();
    format!(
        "<figure>\n<figcaption>{title} by day <span class=\"legend\">{}</span></figcaption>\n<div \
         class=\"highest\">{}</div>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{title} by day\">\n{bars}</svg>\n\
         <div class=\"days\">{}</div>\n</figure>\n",
        legend.collect::<String>(),
        grouped(highest),
        named.into_iter().rev().collect::<String>(),
    )
}

/// The bar of a day, which says its values when it is pointed at.
fn bar(day: &Day, parts: &[Part], x: f64, width: f64, highest: u64) -> String {
    let told = parts.iter().map(|(name, _, value)| format!("{} {name}", grouped(value(day))));
    let told: Vec<String> = told.collect();
    let (mut bottom, mut drawn) = (HEIGHT, String::new());
    for (_, tone, value) in parts {
        let height = HEIGHT * value(day) as f64 / highest as f64;
        bottom -= height;
        if height > 0.0 {
            drawn.push_str(&format!(
                "<rect class=\"{tone}\" x=\"{:.1}\" y=\"{bottom:.1}\" width=\"{:.1}\" \
                 height=\"{:.1}\"/>",
                x + width * 0.1,
                width * 0.8,
                height.max(1.0),
            ));
        }
    }
    format!(
        "<g><title>{}: {}</title><rect class=\"back\" x=\"{x:.1}\" y=\"0\" width=\"{width:.1}\" \
         height=\"{HEIGHT}\"/>{drawn}</g>\n",
        day.name,
        told.join(", "),
    )
}

/// Bars beside names. Each has its name, its value, and what is written behind it.
pub(super) fn bars_by_name(title: &str, bars: &[(String, f64, String)], tone: &str) -> String {
    if bars.is_empty() {
        return String::new();
    }
    let longest = bars.iter().map(|(_, value, _)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let bar = |(name, value, told): &(String, f64, String)| {
        format!(
            "<li><span>{}</span><b><i class=\"{tone}\" style=\"width:{:.1}%\"></i></b><span>{}</span>\
             </li>\n",
            escaped(name),
            value * 100.0 / longest,
            escaped(told),
        )
    };
    let bars: String = bars.iter().map(bar).collect();
    format!(
        "<figure>\n<figcaption>{title}</figcaption>\n<ul class=\"bars\">\n{bars}</ul>\n</figure>\n"
    )
}
