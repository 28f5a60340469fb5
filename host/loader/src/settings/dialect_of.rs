//! From all settings to those that say how a file is read, and back.

use crate::settings::Settings;
use crate::settings::dialect_settings::{DialectSettings, dialect_keys};

macro_rules! conversions {
    ($($key:ident: $value:ty,)+) => {
        impl DialectSettings {
            /// Those of all settings that say how a file is read.
            pub fn of(settings: &Settings) -> DialectSettings {
                DialectSettings { $($key: settings.$key.clone(),)+ }
            }

            /// The settings with these in the place of their own.
            pub fn put_into(self, settings: Settings) -> Settings {
                Settings { $($key: self.$key,)+ ..settings }
            }
        }
    };
}

dialect_keys!(conversions);
