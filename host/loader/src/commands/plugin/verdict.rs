//! What a command found about a plugin.

use loader_model::error::Kind;

/// Whether the plugin is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    Bad,
}

impl Verdict {
    pub(super) fn of(is_good: bool) -> Verdict {
        if is_good { Verdict::Good } else { Verdict::Bad }
    }

    pub(super) fn exit_code(self) -> u8 {
        match self {
            Verdict::Good => 0,
            Verdict::Bad => Kind::Plugin.exit_code(),
        }
    }
}
