//! Where messages go when they are judged: out of the queue, back to it, to the dead letter queue, or
//! to the queue of what is too large.

use std::collections::BTreeMap;
use std::time::Duration;

use loader_aws::sqs::{Message, Queue};

use crate::service::letter::{Judged, Letter, Reason};
use crate::service::verdict::Verdict;

/// How long a message stays away that is given back for the first time; it doubles each time.
const FIRST_ABSENCE: Duration = Duration::from_secs(10);
const LONGEST_ABSENCE: Duration = Duration::from_secs(900);

/// The queues.
#[derive(Clone)]
pub(crate) struct Desk {
    /// Where the messages come from. Without it they are judged, and Lambda, which has brought them,
    /// does with them what the answer says.
    pub(crate) queue: Option<Queue>,
    /// Where the messages of files go that are too large.
    pub(crate) of_too_large: Option<Queue>,
}

/// Messages with which nothing is to be done any more, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) done: Vec<String>,
    /// They come again.
    pub(crate) again: Vec<Again>,
}

/// A message that comes again, and why.
#[derive(Debug)]
pub(crate) struct Again {
    pub(crate) id: String,
    pub(crate) why: String,
    /// Whether somebody has to act before it can end well.
    pub(crate) needs_people: bool,
}

impl Desk {
    /// Does with messages what was judged. What fails comes again, and is judged again.
    pub(super) async fn settle(&self, letters: Vec<Letter>) -> Settled {
        let (mut read, mut settled) = (Vec::new(), Settled::default());
        let mut back = BTreeMap::<Duration, Vec<&Message>>::new();
        for Letter { message, judged, .. } in &letters {
            let is_done = match judged.verdict {
                Verdict::Acknowledge => {
                    read.push(message);
                    true
                }
                Verdict::HandOver => {
                    let is_done = self.hand_over(message, judged).await;
                    if is_done {
                        read.push(message);
                    }
                    is_done
                }
                Verdict::DeadLetter => self.bury(message, judged).await,
                Verdict::Return => {
                    back.entry(absence(message.received)).or_default().push(message);
                    false
                }
            };
            match is_done {
                true => settled.done.push(message.id.clone()),
                false => settled.again.push(again(message, judged)),
            }
        }
        if let Some(queue) = &self.queue {
            if let Err(error) = queue.delete(&read).await {
                tracing::warn!(%error, "messages could not be deleted; they will come again");
            }
            for (absence, messages) in back {
                give_back(queue, &messages, absence).await;
            }
        }
        settled
    }

    /// Gives messages back that nothing was done with, at once.
    pub(super) async fn give_back(&self, letters: Vec<Letter>) -> Settled {
        let messages: Vec<&Message> = letters.iter().map(|letter| &letter.message).collect();
        if let Some(queue) = &self.queue {
            give_back(queue, &messages, Duration::ZERO).await;
        }
        let again = letters.iter().map(|letter| again(&letter.message, &letter.judged));
        Settled { done: Vec::new(), again: again.collect() }
    }

    /// Whether the dead letter queue has it.
    async fn bury(&self, message: &Message, judged: &Judged) -> bool {
        let because = because(judged);
        let [(_, error), (_, table), (_, run_id), _] = &because;
        tracing::warn!(error, table, run_id, message_id = %message.id, "somebody has to act");
        // Without it, the message comes until the queue itself sends it there.
        let Some(queue) = &self.queue else { return false };
        let buried = queue.bury(message, &because).await;
        if let Err(error) = &buried {
            tracing::warn!(%error, "a message did not reach the dead letter queue; it will come again");
        }
        buried.is_ok()
    }

    /// Whether nothing is to be done here any more.
    async fn hand_over(&self, message: &Message, judged: &Judged) -> bool {
        let because = because(judged);
        let [(_, why), (_, table), ..] = &because;
        let Some(queue) = &self.of_too_large else {
            let fact = "a file stays in data/in/ until a program loads it that has the time; \
                        --lambda-too-large-queue-url names a queue for such files";
            tracing::warn!(why, table, message_id = %message.id, "{fact}");
            return true;
        };
        tracing::info!(why, table, message_id = %message.id, "handed over");
        let sent = queue.send(&message.body, &because).await;
        if let Err(error) = &sent {
            tracing::warn!(%error, "a message could not be handed over; it will come again");
        }
        sent.is_ok()
    }
}

async fn give_back(queue: &Queue, messages: &[&Message], absence: Duration) {
    if let Err(error) = queue.keep(messages, absence).await {
        tracing::warn!(%error, "messages could not be given back; they will come again");
    }
}

fn again(message: &Message, judged: &Judged) -> Again {
    let why = judged.reason.as_ref().map(|reason| reason.error.clone());
    let why = why.unwrap_or_else(|| "its files had no turn".to_owned());
    Again { id: message.id.clone(), why, needs_people: judged.verdict == Verdict::DeadLetter }
}

/// Why a message is where it is, as its attributes.
fn because(judged: &Judged) -> [(&'static str, String); 4] {
    let Reason { error, table, run_id, exit_code } = judged.reason.clone().unwrap_or_default();
    let exit_code = exit_code.map(|code| code.to_string()).unwrap_or_default();
    [("error", error), ("table", table), ("run_id", run_id), ("exit_code", exit_code)]
}

/// How long a message stays away that was received so many times.
fn absence(received: u32) -> Duration {
    let doubled = FIRST_ABSENCE * 2u32.saturating_pow(received.saturating_sub(1).min(10));
    doubled.min(LONGEST_ABSENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_away_longer_each_time() {
        let seconds = [1, 2, 3, 8, 1000].map(|received| absence(received).as_secs());
        assert_eq!(seconds, [10, 20, 40, 900, 900]);
    }
}
