//! What the settings say of a table: which plugins they choose, what its columns are, how its files
//! are read, and to which digests they pin a plugin's file.

use std::collections::BTreeMap;
use std::path::Path;

use loader_model::names::TableName;

use crate::settings::Settings;
use crate::settings::column_settings::ColumnSettings;
use crate::settings::place::Place;
use crate::settings::plugin_entry::{BUILT_IN, Digest, Origin, PluginEntry};
use crate::settings::table_settings::TableSettings;

/// The plugins that a load has.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChosenPlugins<'a> {
    /// `None` when the settings name none, and do not say either that there are none.
    pub plugins: Option<&'a [PluginEntry]>,
    /// The place in the settings file that `--plugins` overrules: the table's entry, or a plugin
    /// for all tables that has a config or a pin.
    pub overruled: Option<&'a Place>,
}

impl ChosenPlugins<'_> {
    /// Whether the plugins come from the command line.
    pub fn are_typed(&self) -> bool {
        self.plugins.is_some_and(are_typed)
    }
}

fn are_typed(plugins: &[PluginEntry]) -> bool {
    plugins.iter().any(|plugin| matches!(plugin.origin, Origin::Flag))
}

impl Settings {
    /// The chain for a table: the plugins of `--plugins`, else the settings file's for this table,
    /// else the plugins for all tables.
    pub fn chain(&self, target: Option<&TableName>) -> ChosenPlugins<'_> {
        let table = target.and_then(|target| self.table(target, |table| table.plugins.is_some()));
        let of_all = self.plugins.as_deref();
        match of_all.filter(|plugins| are_typed(plugins)) {
            Some(typed) => ChosenPlugins { plugins: Some(typed), overruled: self.overruled(table) },
            None => {
                let of_table = table.and_then(|table| table.plugins.as_deref());
                ChosenPlugins { plugins: of_table.or(of_all), overruled: None }
            }
        }
    }

    /// The place in the settings file that typed plugins overrule, if the user should be told.
    fn overruled<'a>(&'a self, table: Option<&'a TableSettings>) -> Option<&'a Place> {
        // A flag overrules a list of paths without a word, as it does any other setting. A config
        // or a pin is more than a flag can say, so losing it deserves a notice.
        let says_more = |plugin: &&PluginEntry| plugin.config.is_some() || plugin.sha256.is_some();
        let of_all = || {
            let mut overruled = self.overruled_plugins.iter();
            overruled.find(says_more).and_then(|plugin| plugin.origin.place())
        };
        table.and_then(|table| table.place.as_ref()).or_else(of_all)
    }

    /// What the settings file says of a table's columns.
    pub fn columns_of(&self, target: &TableName) -> Option<&BTreeMap<String, ColumnSettings>> {
        self.table(target, |table| table.columns.is_some())?.columns.as_ref()
    }

    /// What the settings file says of a table: how its files are read, and how they get in.
    #[must_use]
    pub fn of_table(&self, target: &TableName) -> Settings {
        let entries = self.entries_of(target).into_iter().map(|(_, table)| table.as_settings());
        entries.fold(Settings::default(), Settings::or)
    }

    /// The table's entry that has what is looked for.
    fn table(
        &self,
        target: &TableName,
        has: impl Fn(&TableSettings) -> bool,
    ) -> Option<&TableSettings> {
        self.entries_of(target).into_iter().map(|(_, table)| table).find(|table| has(table))
    }

    /// The table's entries with their names. One that names the schema goes first: for the table
    /// `sales.orders`, `[tables."sales.orders"]` before `[tables.orders]`.
    pub(crate) fn entries_of(&self, target: &TableName) -> Vec<(&str, &TableSettings)> {
        let tables = || self.tables.iter().flat_map(|tables| tables.iter());
        let named = |name: &str| tables().find(|(key, _)| key.eq_ignore_ascii_case(name));
        let entries = [named(&target.to_string()), named(&target.table)].into_iter().flatten();
        entries.map(|(name, table)| (name.as_str(), table)).collect()
    }

    /// Every plugin that is named anywhere in the settings.
    pub fn all_plugins(&self) -> impl Iterator<Item = &PluginEntry> {
        let of_tables =
            self.tables.iter().flat_map(|tables| tables.values()).flat_map(|table| &table.plugins);
        self.plugins.iter().chain(of_tables).flatten().chain(&self.overruled_plugins)
    }

    /// The digests to which the settings pin a plugin's file.
    pub fn pins_of<'a>(&'a self, file: &Path) -> impl Iterator<Item = (&'a Digest, &'a Origin)> {
        // `./plugins/a.wasm`, `plugins/a.wasm` and a link to either are one file, and one pin holds
        // for all three. A path that does not exist is compared as it is written, and so is the
        // name of the plugin that is no file.
        let real = |path: &Path| match path == Path::new(BUILT_IN) {
            true => path.to_path_buf(),
            false => path.canonicalize().unwrap_or_else(|_| path.to_path_buf()),
        };
        let file = real(file);
        let pinned =
            self.all_plugins().filter_map(|plugin| Some((plugin, plugin.sha256.as_ref()?)));
        pinned
            .filter(move |(plugin, _)| real(&plugin.path) == file)
            .map(|(plugin, digest)| (digest, &plugin.origin))
    }
}

#[cfg(test)]
mod tests;
