//! What becomes of a message, by what became of the files that it tells of.

use loader_model::error::Kind;

/// What becomes of a message. The greater of two holds where files of one message came to both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// Its files are loaded, or are no concern of the loader: it is deleted.
    Acknowledge,
    /// Another program loads its file: it goes to that program's queue.
    HandOver,
    /// Somebody has to act: it goes to the dead letter queue.
    DeadLetter,
    /// It is tried again later: it goes back to the queue.
    Return,
}

impl Verdict {
    /// The verdict on a file by its exit code.
    pub(super) fn of(exit_code: u8) -> Verdict {
        let needs_people = [Kind::Config, Kind::Data, Kind::SchemaConflict].map(Kind::exit_code);
        match exit_code {
            0 => Verdict::Acknowledge,
            code if needs_people.contains(&code) => Verdict::DeadLetter,
            _ => Verdict::Return,
        }
    }

    /// A word for it, for logs and figures.
    pub(super) fn word(self) -> &'static str {
        match self {
            Verdict::Acknowledge => "acknowledged",
            Verdict::HandOver => "handed_over",
            Verdict::DeadLetter => "dead_lettered",
            Verdict::Return => "returned",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_exit_class_has_its_verdict() {
        let of = |codes: &[u8]| codes.iter().map(|code| Verdict::of(*code)).collect::<Vec<_>>();
        assert_eq!(of(&[0]), [Verdict::Acknowledge]);
        assert_eq!(of(&[2, 3, 5]), [Verdict::DeadLetter; 3]);
        assert_eq!(of(&[1, 4, 6, 130, 143]), [Verdict::Return; 5]);
        assert_eq!(Verdict::Acknowledge.max(Verdict::DeadLetter), Verdict::DeadLetter);
        assert_eq!(Verdict::DeadLetter.max(Verdict::Return), Verdict::Return);
    }
}
