//! The figures as a chart: for each row with other programs beside ours, our wall time, processor
//! time and memory, as multiples of the least of the others.
//!
//! It is SVG with a style of its own, so that it can be read on light and on dark pages.

use std::fmt::Write as _;

use super::record::Records;
use super::verdict::{Ratios, ratios};

const WIDTH: f64 = 760.0;
/// Where bars begin, and how long one is that is as much as the least of the others.
const LEFT: f64 = 180.0;
const ONE: f64 = 260.0;
/// Longer bars are cut off here; their figure says how much it is.
const MOST: f64 = 2.1;
const TOP: f64 = 64.0;
const BAR: f64 = 13.0;
const ROW: f64 = 3.0 * BAR + 17.0;

const STYLE: &str = "\
  <style>
    .page { fill: #ffffff }
    .name { font-size: 13px; font-weight: 600; fill: #1f2328 }
    .note { font-size: 12px; fill: #59636e }
    .wall { fill: #2f7ed8 }
    .processor { fill: #8a63d2 }
    .memory { fill: #8c959f }
    .figure { text-anchor: end }
    .line { text-anchor: middle }
    .others { stroke: #1f2328; stroke-width: 1.2; stroke-dasharray: 4 3 }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117 }
      .name { fill: #e6edf3 }
      .note { fill: #9da7b3 }
      .wall { fill: #58a6ff }
      .processor { fill: #a98be8 }
      .memory { fill: #6e7681 }
      .others { stroke: #e6edf3 }
    }
  </style>
";

/// The chart; `None` when there is nothing to compare.
pub(super) fn render(records: &Records) -> Option<String> {
    let compared = records.rows.iter().filter_map(|record| Some((&record.row, ratios(record)?)));
    let compared: Vec<(&String, Ratios)> = compared.collect();
    if compared.is_empty() {
        return None;
    }
    let bottom = TOP + ROW * compared.len() as f64;
    let mut svg = head(bottom + 12.0);
    for (place, (name, ratios)) in compared.iter().enumerate() {
        push_row(&mut svg, TOP + ROW * place as f64, name, ratios);
    }
    let at = LEFT + ONE;
    let _ = writeln!(
        svg,
        "  <text class=\"note line\" x=\"{at}\" y=\"{:.0}\">the least of the others</text>\n  \
         <line class=\"others\" x1=\"{at}\" y1=\"{:.0}\" x2=\"{at}\" y2=\"{bottom:.0}\"/>\n\
         </svg>",
        TOP - 12.0,
        TOP - 8.0
    );
    Some(svg)
}

fn head(height: f64) -> String {
    let (width, font) = (WIDTH, "ui-sans-serif, system-ui, Segoe UI, Helvetica, Arial, sans-serif");
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         role=\"img\" aria-labelledby=\"title\" font-family=\"{font}\">\n  \
         <title id=\"title\">loader beside DuckDB and Polars</title>\n{STYLE}  \
         <rect class=\"page\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"8\"/>\n  \
         <text class=\"name\" x=\"16\" y=\"26\">loader, as multiples of the least of DuckDB and \
         Polars; shorter is better</text>\n"
    );
    for (place, name) in ["wall", "processor", "memory"].iter().enumerate() {
        let x = 16.0 + 90.0 * place as f64;
        let _ = writeln!(
            svg,
            "  <rect class=\"{name}\" x=\"{x:.0}\" y=\"35\" width=\"10\" height=\"10\"/>\n  \
             <text class=\"note\" x=\"{:.0}\" y=\"44\">{name}</text>",
            x + 15.0
        );
    }
    svg
}

fn push_row(svg: &mut String, top: f64, name: &str, ratios: &Ratios) {
    let _ = writeln!(
        svg,
        "  <text class=\"name\" x=\"16\" y=\"{:.0}\">{name}</text>",
        top + 1.5 * BAR + 5.0
    );
    let bars = [("wall", ratios.wall), ("processor", ratios.cpu), ("memory", ratios.memory)];
    for (place, (class, ratio)) in bars.into_iter().enumerate() {
        let (y, width) = (top + BAR * place as f64, ONE * ratio.min(MOST));
        let _ = writeln!(
            svg,
            "  <rect class=\"{class}\" x=\"{LEFT:.0}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{:.1}\"/>\n  \
             <text class=\"note figure\" x=\"{:.0}\" y=\"{:.1}\">{ratio:.2}x</text>",
            BAR - 2.0,
            LEFT - 8.0,
            y + BAR - 3.0
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Run;
    use super::super::record::{Record, Series};
    use super::*;

    #[test]
    fn each_row_that_is_compared_has_three_bars() {
        let series = |name: &str, wall_seconds| {
            let run =
                Run { wall_seconds, cpu_seconds: 1.0, peak_bytes: 1 << 30, s3_requests: None };
            Series { name: name.to_owned(), runs: vec![run] }
        };
        let record =
            |row: &str, series| Record { row: row.to_owned(), series, ..Record::default() };
        let rows = vec![
            record("stage", vec![series("loader", 3.0), series("duckdb", 1.0)]),
            record("small", vec![series("loader", 1.0)]),
        ];
        let svg = render(&Records { rows }).unwrap();
        assert_eq!(svg.matches("<rect").count(), 1 + 3 + 3, "page, legend, bars");
        assert!(svg.contains("width=\"546.0\"") && svg.contains(">3.00x<"), "cut off: {svg}");
        assert!(!svg.contains("small") && svg.ends_with("</svg>\n"));
        assert_eq!(render(&Records::default()), None);
    }
}
