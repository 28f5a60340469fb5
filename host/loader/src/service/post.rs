//! The messages in hand: received, kept from others while their files are loaded, and settled.
//!
//! No more are received than the hand has room for, so a queue that fills faster than files are
//! loaded stays in SQS, where other programs can take its messages, too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use loader_aws::sqs::{Message, Queue};
use loader_aws::stop::Stop;
use loader_model::error::Result;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::service::letter::{Judged, Letter, Reason};
use crate::service::verdict::Verdict;

/// Messages that are in hand at most.
const ROOM: usize = 2000;
/// What one request may bring.
const AT_ONCE: usize = 10;
/// How long a queue that gives no answer is left alone; the pause doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a message stays away that is given back for the first time; it doubles each time.
const FIRST_ABSENCE: Duration = Duration::from_secs(10);
const LONGEST_ABSENCE: Duration = Duration::from_secs(900);

/// The messages in hand. Clones share them.
#[derive(Clone)]
pub(crate) struct Post {
    queue: Queue,
    hand: Arc<Mutex<BTreeMap<String, InHand>>>,
    room: Arc<Semaphore>,
}

struct InHand {
    message: Message,
    /// Its place, which is free again when the message is settled.
    _place: OwnedSemaphorePermit,
}

impl Post {
    pub(crate) fn new(queue: Queue) -> Post {
        Post { queue, hand: Arc::default(), room: Arc::new(Semaphore::new(ROOM)) }
    }

    /// How many messages are in hand.
    pub(crate) fn in_hand(&self) -> usize {
        self.hand().len()
    }

    /// Receives messages until it is time to stop.
    pub(crate) async fn receive(self, to: mpsc::UnboundedSender<Message>, stop: Stop) {
        let mut pause = FIRST_PAUSE;
        loop {
            let received = tokio::select! {
                received = self.next() => received,
                _ = stop.wanted() => return,
            };
            match received {
                Ok(messages) => {
                    pause = FIRST_PAUSE;
                    if messages.into_iter().any(|message| to.send(message).is_err()) {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, pause_s = pause.as_secs(), "no messages were received");
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        _ = stop.wanted() => return,
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn next(&self) -> Result<Vec<Message>> {
        // The semaphore is never closed.
        let Ok(mut places) = Arc::clone(&self.room).acquire_many_owned(AT_ONCE as u32).await else {
            return Ok(Vec::new());
        };
        let messages = self.queue.receive().await?;
        let mut hand = self.hand();
        for message in &messages {
            if let Some(place) = places.split(1) {
                let in_hand = InHand { message: message.clone(), _place: place };
                // The same message once more: the later receipt is the one that counts.
                hand.insert(message.id.clone(), in_hand);
            }
        }
        Ok(messages)
    }

    /// Keeps what is in hand from others, again and again. Never returns.
    pub(crate) async fn keep(self) {
        let mut ticks = tokio::time::interval(self.queue.visibility / 3);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let messages: Vec<Message> =
                self.hand().values().map(|in_hand| in_hand.message.clone()).collect();
            let messages: Vec<&Message> = messages.iter().collect();
            if let Err(error) = self.queue.keep(&messages, self.queue.visibility).await {
                tracing::warn!(%error, "messages could not be kept; they may come twice");
            }
        }
    }

    /// Does with messages what was judged. What fails comes again, and is judged again.
    pub(super) async fn settle(&self, letters: Vec<Letter>) {
        let settled: Vec<String> = letters.iter().map(|letter| letter.message.id.clone()).collect();
        let (mut read, mut back) = (Vec::new(), BTreeMap::<Duration, Vec<&Message>>::new());
        for Letter { message, judged, .. } in &letters {
            match judged.verdict {
                Verdict::Acknowledge => read.push(message),
                Verdict::DeadLetter => self.bury(message, judged).await,
                Verdict::Return => back.entry(absence(message.received)).or_default().push(message),
            }
        }
        if let Err(error) = self.queue.delete(&read).await {
            tracing::warn!(%error, "messages could not be deleted; they will come again");
        }
        for (absence, messages) in back {
            if let Err(error) = self.queue.keep(&messages, absence).await {
                tracing::warn!(%error, "messages could not be given back; they will come again");
            }
        }
        let mut hand = self.hand();
        settled.iter().for_each(|id| drop(hand.remove(id)));
    }

    /// Gives messages back that nothing was done with, at once.
    pub(super) async fn give_back(&self, letters: Vec<Letter>) {
        let messages: Vec<&Message> = letters.iter().map(|letter| &letter.message).collect();
        if let Err(error) = self.queue.keep(&messages, Duration::ZERO).await {
            tracing::warn!(%error, "messages could not be given back; they will come again");
        }
        let mut hand = self.hand();
        messages.iter().for_each(|message| drop(hand.remove(&message.id)));
    }

    async fn bury(&self, message: &Message, judged: &Judged) {
        let none = Reason::default();
        let Reason { error, table, run_id, exit_code } = judged.reason.as_ref().unwrap_or(&none);
        let exit_code = exit_code.map(|code| code.to_string()).unwrap_or_default();
        tracing::warn!(%error, %table, %run_id, message = %message.id, "somebody has to act");
        let because =
            [("error", &**error), ("table", table), ("run_id", run_id), ("exit_code", &exit_code)];
        if let Err(error) = self.queue.bury(message, &because).await {
            tracing::warn!(%error, "a message did not reach the dead letter queue; it will come again");
        }
    }

    fn hand(&self) -> MutexGuard<'_, BTreeMap<String, InHand>> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
