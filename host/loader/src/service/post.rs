//! The messages in hand: received, and kept from others until they are settled.
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

/// Messages that are in hand at most.
const ROOM: usize = 2000;
/// What one request may bring.
const AT_ONCE: usize = 10;
/// How long a queue that gives no answer is left alone; the pause doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

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

    /// Nothing is to be done with these messages any more.
    pub(crate) fn forget<'a>(&self, ids: impl Iterator<Item = &'a String>) {
        let mut hand = self.hand();
        ids.for_each(|id| drop(hand.remove(id)));
    }

    fn hand(&self) -> MutexGuard<'_, BTreeMap<String, InHand>> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
