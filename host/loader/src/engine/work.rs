//! Does tasks in a process of its own, which a worker of a cluster has started: `loader work`.
//!
//! In: frames on stdin, a spec before its tasks. Out: a frame on stdout for each task. The end of
//! stdin ends the process. A spec is made ready once, so plugins stay compiled from task to task.

use std::io::{self, BufReader, Write, stdin, stdout};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use loader_aws::connect;
use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_data::spread::worker::Worker;
use loader_data::spread::{Failure, Outcome};
use loader_model::error::{Context, Error, Kind, Result};
use loader_sandbox::CacheLocation;
use tokio::runtime::Handle;

use super::dataframe::{self, Dataframe};
use super::stored::StoreAccess;
use super::wire::{self, Frame, FrameKind, SentSpec};

/// The signal by which a program is asked to end. The stop flag of the tasks is raised with it once the
/// worker of the cluster is gone.
const SIGTERM: i32 = 15;

/// Works until stdin ends. Blocks. Errors: `Internal` for what are no frames, and a stdout that
/// nobody reads.
pub(crate) fn run(runtime: &Handle, stop: &Stop) -> Result<()> {
    let (frames, mut to) = (read_ahead(stop), stdout().lock());
    let mut worker: Option<Result<Worker>> = None;
    let mut dataframe: Option<Dataframe> = None;
    const BROKEN: &str = "the frames of a worker broke off";
    for frame in frames {
        let Frame { kind, content } = frame.context(Kind::Internal, BROKEN)?;
        match kind {
            FrameKind::Spec => worker = Some(ready(&content, runtime, stop)),
            FrameKind::Task => {
                answer(&mut to, work(worker.as_ref(), &content)).context(Kind::Internal, BROKEN)?;
            }
            FrameKind::Plan | FrameKind::Open | FrameKind::Batch | FrameKind::Finish => {
                let answer = of_dataframe(&mut dataframe, kind, content);
                send(&mut to, answer).context(Kind::Internal, BROKEN)?;
            }
            _ => return Err(Error::new(Kind::Internal, "a worker takes specs and tasks alone")),
        }
    }
    Ok(())
}

/// Reads frames on a thread of its own, so that the end of stdin ends the task that is being done: the
/// worker of the cluster is gone, and its task is done again elsewhere.
fn read_ahead(stop: &Stop) -> Receiver<io::Result<Frame>> {
    let (sender, frames) = sync_channel(1);
    let stop = stop.flag().clone();
    std::thread::spawn(move || {
        let mut from = BufReader::new(stdin().lock());
        while let Some(frame) = wire::read(&mut from).transpose() {
            let is_broken = frame.is_err();
            if sender.send(frame).is_err() || is_broken {
                break;
            }
        }
        stop.raise(SIGTERM);
    });
    frames
}

fn ready(spec: &[u8], runtime: &Handle, stop: &Stop) -> Result<Worker> {
    let sent: SentSpec = wire::unpack_spec(spec)?;
    let aws = runtime.block_on(connect::connect(&sent.access()))?;
    let access = StoreAccess::new(Store::new(&aws, stop.clone()), runtime.clone());
    Worker::new(sent.spec, Arc::new(access), CacheLocation::Default, stop.flag().clone())
}

fn work(worker: Option<&Result<Worker>>, task: &[u8]) -> Result<Outcome> {
    match worker {
        None => Err(Error::new(Kind::Internal, "a task came before its spec")),
        // The same for each task of the spec.
        Some(Err(error)) if error.kind().lasts() => Ok(Outcome::Failed(Failure::of(error))),
        Some(Err(error)) => Err(Failure::of(error).into_error()),
        Some(Ok(worker)) => worker.work(wire::unpack(task)?),
    }
}

/// Goes on with a DataFrame.
fn of_dataframe(
    dataframe: &mut Option<Dataframe>,
    kind: FrameKind,
    content: Vec<u8>,
) -> Result<Vec<u8>> {
    let is_open = || Error::new(Kind::Internal, "rows of a DataFrame came before their plan");
    match kind {
        FrameKind::Plan => dataframe::plan(&content),
        FrameKind::Open => {
            *dataframe = Some(Dataframe::open(&content)?);
            Ok(Vec::new())
        }
        FrameKind::Batch => dataframe.as_mut().ok_or_else(is_open)?.batch(content),
        _ => dataframe.as_mut().ok_or_else(is_open)?.finish(),
    }
}

fn answer(to: &mut impl Write, outcome: Result<Outcome>) -> io::Result<()> {
    send(to, outcome.and_then(|outcome| wire::pack(&outcome)))
}

fn send(to: &mut impl Write, answer: Result<Vec<u8>>) -> io::Result<()> {
    match answer {
        Ok(outcome) => wire::write(to, FrameKind::Done, &[&outcome]),
        Err(error) => wire::write(to, FrameKind::Error, &[&wire::error_text(&error)]),
    }
}
