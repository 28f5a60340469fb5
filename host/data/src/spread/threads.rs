//! The engine of one machine: threads of this process.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

use loader_model::error::{Error, Kind, Result};
use loader_model::stop::StopFlag;
use loader_sandbox::CacheLocation;
use tracing::Span;

use super::engine::{Engine, Outcome, Spec, Task};
use super::worker::Worker;

use crate::stored::Access;

/// Does tasks on threads of this process.
pub struct Threads {
    pub threads: NonZeroUsize,
    pub access: Arc<dyn Access>,
    /// Where compiled plugins are kept.
    pub cache: CacheLocation,
}

impl Engine for Threads {
    fn tasks_at_once(&self) -> NonZeroUsize {
        self.threads
    }

    // A task that fails is not done again: what it reads and writes is tried again by itself.
    fn map(
        &self,
        spec: &Spec,
        tasks: &[Task],
        stop: &StopFlag,
        take: &mut dyn FnMut(usize, Outcome) -> Result<()>,
    ) -> Result<()> {
        let worker = {
            let (access, cache) = (Arc::clone(&self.access), self.cache.clone());
            Worker::new(spec.clone(), access, cache, stop.clone())?
        };
        let (next, has_ended) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (sender, outcomes) = sync_channel(self.threads.get());
        let span = Span::current();
        let work = |sender: std::sync::mpsc::SyncSender<_>| {
            let _entered = span.enter();
            while !has_ended.load(Ordering::Relaxed) {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(task) = tasks.get(place) else { break };
                if sender.send((place, worker.work(task.clone()))).is_err() {
                    break;
                }
            }
        };
        std::thread::scope(|scope| {
            let work = &work;
            for _ in 0..self.threads.get().min(tasks.len()) {
                let sender = sender.clone();
                scope.spawn(move || work(sender));
            }
            drop(sender);
            let mut taken = 0;
            let ended = outcomes.iter().try_for_each(|(place, outcome)| {
                taken += 1;
                stop.check()?;
                take(place, outcome?)
            });
            // The threads see this before they take their next task.
            has_ended.store(true, Ordering::Relaxed);
            drop(outcomes);
            ended?;
            match taken == tasks.len() {
                true => Ok(()),
                false => Err(Error::new(Kind::Internal, "a thread that does tasks ended abruptly")),
            }
        })
    }
}
