//! Choices as the command line takes them: by their names, which `--help` lists.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use loader_model::choices::{Choice, Named};

/// A parser of the names of a choice's options.
pub(crate) fn choice<T: Choice>() -> impl TypedValueParser<Value = T> {
    let options = T::OPTIONS.iter().map(|option| {
        let value = PossibleValue::new(option.name);
        if option.help.is_empty() { value } else { value.help(option.help) }
    });
    PossibleValuesParser::new(options).try_map(|name| {
        let named = |option: &&Named<T>| option.name == name;
        T::OPTIONS.iter().find(named).map(|option| option.value).ok_or("no such option")
    })
}
