//! Which plugins a run has, and what they counted.
//!
//! In: the plugins and their counters. Out: the forms that the report, the log and the ledger take.

use std::collections::BTreeMap;

use loader_sandbox::PluginCounters;
use loader_warehouse::bookkeeping::MAX_JSON_BYTES;
use serde::{Deserialize, Serialize};

/// A plugin of the chain.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PluginIdentity {
    pub name: String,
    pub version: String,
    pub sha256: String,
    /// What the plugin counted, by the names that it chose.
    pub counters: BTreeMap<String, u64>,
}

/// The plugins as JSON, short enough for the ledger. If they are too long, counters are left out,
/// the last plugin's first, and then whole plugins from the end. The report and the log keep all of
/// them.
pub(crate) fn for_ledger(plugins: &[PluginIdentity]) -> String {
    let mut kept = plugins.to_vec();
    // Each pass drops the counters of a plugin, or a plugin, so the loop ends at `[]` at the
    // latest. The text is made anew each time: cutting it short would leave broken JSON in the
    // ledger.
    loop {
        let text = serde_json::to_string(&kept).unwrap_or_default();
        if text.len() <= MAX_JSON_BYTES {
            return text;
        }
        match kept.iter_mut().rev().find(|plugin| !plugin.counters.is_empty()) {
            Some(plugin) => plugin.counters.clear(),
            None => drop(kept.pop()),
        }
    }
}

/// How many decimals the plugins, and the casts that they asked for, have rounded. A plugin tells
/// by a counter of this name, as the default plugin does.
pub(crate) fn rounded(plugins: &[PluginIdentity]) -> u64 {
    let counter = |plugin: &PluginIdentity, name| plugin.counters.get(name).copied().unwrap_or(0);
    plugins.iter().map(|plugin| counter(plugin, "rounded") + counter(plugin, "cast.rounded")).sum()
}

/// Logs one event for each plugin, with all that it counted.
pub(crate) fn log_counted(counted: &[PluginCounters]) {
    for plugin in counted {
        let counters: Vec<String> =
            plugin.counters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        tracing::info!(
            plugin = plugin.plugin,
            rows = plugin.rows,
            rejected = plugin.rejected,
            sandbox_ms = plugin.sandbox.as_millis() as u64,
            encode_decode_ms = plugin.encode_decode.as_millis() as u64,
            peak_memory_bytes = plugin.peak_memory_bytes,
            counters = counters.join(" "),
            "plugin finished"
        );
    }
}

/// The plugins with what they counted; both lists are in the chain's order.
pub(crate) fn counted(
    plugins: &[PluginIdentity],
    counters: &[PluginCounters],
) -> Vec<PluginIdentity> {
    let mut plugins = plugins.to_vec();
    for (plugin, of_plugin) in plugins.iter_mut().zip(counters) {
        plugin.counters = of_plugin.counters.iter().cloned().collect();
    }
    plugins
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn plugin(name: &str, counters: usize) -> PluginIdentity {
        let counters = (0..counters).map(|n| (format!("{n:064}"), u64::MAX)).collect();
        PluginIdentity { name: name.into(), version: "1".into(), sha256: "ab".into(), counters }
    }

    #[test]
    fn what_the_ledger_gets_is_json_and_never_too_long() {
        let short = for_ledger(&[plugin("a", 1)]);
        let zeros = "0".repeat(64);
        let whole = format!(
            r#"[{{"name":"a","version":"1","sha256":"ab","counters":{{"{zeros}":18446744073709551615}}}}]"#
        );
        assert_eq!(short, whole);
        let names = |text: &str| -> Vec<(String, usize)> {
            let plugins: Vec<Value> = serde_json::from_str(text).expect("JSON");
            let counters =
                |plugin: &Value| plugin["counters"].as_object().map_or(0, serde_json::Map::len);
            plugins
                .iter()
                .map(|plugin| {
                    (plugin["name"].as_str().unwrap_or_default().into(), counters(plugin))
                })
                .collect()
        };
        let cut = for_ledger(&[plugin("a", 100), plugin("b", 100)]);
        assert_eq!(names(&cut), [("a".to_owned(), 100), ("b".to_owned(), 0)]);
        let many: Vec<PluginIdentity> = (0..1000).map(|n| plugin(&n.to_string(), 0)).collect();
        let cut = for_ledger(&many);
        assert!(cut.len() <= MAX_JSON_BYTES && names(&cut).len() > 200, "{}", cut.len());
    }
}
