//! Finds to the chunks of a file what was learnt of them.
//!
//! In: the chunks as the splitter cuts them, and the runs that were learnt of the ranges, both in
//! the order of the file. Out: the runs whose chunks are the file's, and the chunks of which nothing
//! is known.

use std::collections::VecDeque;

use super::LearntRun;
use crate::chunk::Chunk;

/// What is known of the next chunks.
#[derive(Clone, Debug)]
pub enum Known {
    /// Nothing of this one: it has to be profiled.
    Nothing(Chunk),
    /// The profile of all of these.
    Run(Vec<Chunk>, Box<LearntRun>),
}

/// Runs that wait for their chunks.
#[derive(Debug, Default)]
pub struct Matching {
    waiting: VecDeque<LearntRun>,
    /// The chunks of the first of them that have come.
    come: Vec<Chunk>,
}

impl Matching {
    /// Takes what was learnt of a range, before the chunks that begin in it are cut.
    pub fn learn(&mut self, runs: Vec<LearntRun>) {
        self.waiting.extend(runs);
    }

    /// Takes the next chunk of the file.
    pub fn cut(&mut self, chunk: Chunk) -> Vec<Known> {
        let mut known = Vec::new();
        while let Some(run) = self.waiting.front() {
            match run.chunks.get(self.come.len()) {
                Some(learnt) if learnt.is_of(&chunk) => {
                    self.come.push(chunk);
                    if self.come.len() == run.chunks.len() {
                        let chunks = std::mem::take(&mut self.come);
                        let run = self.waiting.pop_front();
                        known.extend(run.map(|run| Known::Run(chunks, Box::new(run))));
                    }
                    return known;
                }
                // The run begins further on in the file.
                Some(learnt) if self.come.is_empty() && learnt.offset > chunk.offset => break,
                // The run is cut in another way than the file.
                Some(_) | None => {
                    known.extend(self.come.drain(..).map(Known::Nothing));
                    self.waiting.pop_front();
                }
            }
        }
        known.push(Known::Nothing(chunk));
        known
    }

    /// The chunks whose run is not complete, at the end of the file.
    pub fn finish(self) -> Vec<Known> {
        self.come.into_iter().map(Known::Nothing).collect()
    }
}
