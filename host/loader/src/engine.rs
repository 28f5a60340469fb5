//! Who does the work on a large file: threads of this process, or the cluster of the Spark driver
//! that has started it.
//!
//! `staging` has a file staged by an engine. `stored` is the way to S3 that tasks take, wherever they
//! are done. `frames` hands tasks to the program that has started this one, and `work` does them in
//! another process: that of a worker of the cluster, which `loader work` is. `wire` is the form of
//! what they send each other, and `object_text` how this process looks things up in a file that
//! others read. `dataframe` is for rows that are no load: those of a DataFrame.

mod dataframe;
pub mod frames;
pub(crate) mod object_text;
pub(crate) mod staging;
pub(crate) mod stored;
mod wire;
pub(crate) mod work;

use std::sync::Arc;

use loader_aws::s3::Beginning;
use loader_data::content;
use loader_data::infer::{Ranges, Spool};
use loader_data::spread::Engine;
use loader_data::spread::learn::ByEngine;
use loader_data::spread::threads::Threads;
use loader_data::stored::StoredObject;
use loader_model::choices::EngineChoice;
use tokio::runtime::Handle;

use crate::data_path::chain;
use crate::engine::frames::Frames;
use crate::engine::object_text::ObjectText;
use crate::engine::stored::StoreAccess;
use crate::tools::Tools;
use crate::values::SourceObject;

/// From this size on a cluster is worth its tasks.
const LARGE_BYTES: u64 = 256 << 20;
/// The bytes of a task, unless the settings say otherwise: few enough to spread a file over all
/// workers several times, so that slow ones hold up little, and enough that tasks cost little.
const FEWEST_BYTES: u64 = 64 << 20;
const MOST_BYTES: u64 = 512 << 20;
const TASKS_OF_A_WORKER: u64 = 4;

/// An engine for a file.
#[derive(Clone)]
pub(crate) struct Spreading {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) split_bytes: u64,
    /// The engine has machines of its own.
    pub(crate) is_cluster: bool,
}

/// The engine that works on a file of so many bytes. `None`: it is read as it streams by.
pub(crate) fn of(tools: &Tools, size_bytes: u64) -> Option<Spreading> {
    let job = &tools.job;
    let may_spread = job.transform.capture.is_none();
    let cluster = Frames::of_process().filter(|_| match job.engine {
        EngineChoice::Local => false,
        EngineChoice::Auto => size_bytes >= LARGE_BYTES,
        EngineChoice::Spark => true,
    });
    let is_cluster = cluster.is_some();
    let engine: Arc<dyn Engine> = match cluster {
        Some(frames) => Arc::new(frames.of(&job.warehouse.access)),
        None => Arc::new(Threads {
            threads: job.transform.workers,
            access: Arc::new(StoreAccess::new(tools.store.clone(), Handle::current())),
            cache: chain::cache(&job.transform),
        }),
    };
    let workers = engine.tasks_at_once().get() as u64;
    let own = (size_bytes / (TASKS_OF_A_WORKER * workers)).clamp(FEWEST_BYTES, MOST_BYTES);
    let split_bytes = job.split_bytes.or(is_cluster.then_some(own)).filter(|_| may_spread)?;
    Some(Spreading { engine, split_bytes, is_cluster })
}

impl Spreading {
    /// How the file is read in ranges, if it can be. `beginning`: of the object.
    pub(crate) fn ranges(
        &self,
        tools: &Tools,
        source: &SourceObject,
        beginning: &Beginning,
    ) -> Option<Ranges> {
        let head = beginning.to_bytes();
        if !content::is_not_compressed(&head) {
            return None;
        }
        let object = StoredObject {
            uri: source.uri.clone(),
            etag: source.info.etag.clone(),
            size_bytes: source.info.size_bytes,
        };
        let access = StoreAccess::new(tools.store.clone(), Handle::current());
        let copy = ObjectText::new(Arc::new(access), object.clone(), head);
        let learner = Arc::new(ByEngine(Arc::clone(&self.engine)));
        let progress = tools.progress.clone();
        Some(Ranges {
            learner,
            object,
            copy: Arc::new(copy),
            split_bytes: self.split_bytes,
            advance: Arc::new(move |bytes| progress.advance(bytes)),
        })
    }

    /// Whether the engine stages a file: one that its tasks have read in ranges, or any file where the
    /// engine is a cluster, to which the text is sent in pieces.
    pub(crate) fn stages(&self, spool: &Spool) -> bool {
        spool.in_place.is_some() || self.is_cluster
    }
}
