//! WASI 0.2, closed: for plugins in languages that need it.
//!
//! There are no files, no environment, no arguments and no network. The wall clock stands still at
//! the run's start, and the monotonic clock at zero. Guests cannot sleep, since a sleeping guest
//! could not be interrupted. Random numbers come from a fixed seed. The guest's output becomes log
//! lines. So the same rows give the same result on every machine: for example, a guest that asks
//! for eight random bytes gets the same eight in every run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p2::{DynPollable, OutputStream, Pollable, StreamResult, subscribe};
use wasmtime_wasi::{
    Deterministic, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView, async_trait,
};

use crate::guest_log::GuestLog;

/// Adds WASI to a plugin's linker; only for plugins that import it.
// The order matters: the second clock replaces the first one, whose `subscribe_duration` would put
// the thread to sleep. Shadowing is allowed only for that step, so that no other function is
// replaced by mistake.
pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<T, NoSleep>(linker, |state| {
        StoppedClock(WasiView::ctx(state).table)
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The WASI context of one instance.
pub(crate) struct Wasi {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl Wasi {
    /// `now_micros`: the time of the wall clock, in microseconds since 1970.
    pub(crate) fn new(now_micros: i64, log: &Arc<Mutex<GuestLog>>) -> Wasi {
        let now = Duration::from_micros(u64::try_from(now_micros).unwrap_or_default());
        let ctx = WasiCtx::builder()
            .wall_clock(StoppedAt(now))
            .monotonic_clock(StoppedAt(Duration::ZERO))
            .secure_random(Deterministic::new(random_bytes("secure")))
            .insecure_random(Deterministic::new(random_bytes("insecure")))
            .insecure_random_seed(0x6c6f_6164_6572)
            .stdout(Printed { level: 3, log: Arc::clone(log) })
            .stderr(Printed { level: 2, log: Arc::clone(log) })
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        Wasi { ctx, table: ResourceTable::new() }
    }

    pub(crate) fn view(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}

/// Makes 16 KiB that look random and are the same every time. A guest that needs more gets them
/// again.
fn random_bytes(purpose: &str) -> Vec<u8> {
    (0..512_u32)
        .flat_map(|block| {
            Sha256::new().chain_update(purpose).chain_update(block.to_le_bytes()).finalize()
        })
        .collect()
}

#[derive(Clone, Copy)]
struct StoppedAt(Duration);

impl HostWallClock for StoppedAt {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for StoppedAt {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        0
    }
}

/// Names [`StoppedClock`] for the linker.
struct NoSleep;

impl HasData for NoSleep {
    type Data<'a> = StoppedClock<'a>;
}

/// A clock that stands still. Every moment that a guest waits for counts as reached, so waiting
/// returns at once.
struct StoppedClock<'a>(&'a mut ResourceTable);

impl monotonic_clock::Host for StoppedClock<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(0)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1_000)
    }

    fn subscribe_instant(&mut self, _when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let ready = self.0.push(Ready)?;
        subscribe(self.0, ready)
    }

    fn subscribe_duration(&mut self, _duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let ready = self.0.push(Ready)?;
        subscribe(self.0, ready)
    }
}

struct Ready;

#[async_trait]
impl Pollable for Ready {
    async fn ready(&mut self) {}
}

/// The standard output or standard error of a guest.
#[derive(Clone)]
struct Printed {
    level: u8,
    log: Arc<Mutex<GuestLog>>,
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this stream, and WASI 0.3 is not linked.
        StdoutStream::async_stream(&MemoryOutputPipe::new(0))
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(PrintedStream { to: self.clone(), begun: Vec::new() })
    }
}

/// Cuts the guest's output into lines.
struct PrintedStream {
    to: Printed,
    begun: Vec<u8>,
}

impl PrintedStream {
    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.begun);
        // A panic while the log was locked leaves at worst a line half counted.
        let mut log = self.to.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.line(self.to.level, &String::from_utf8_lossy(&line));
    }
}

#[async_trait]
impl Pollable for PrintedStream {
    async fn ready(&mut self) {}
}

impl OutputStream for PrintedStream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        // Bounds the host's memory: a guest may print without ever ending a line.
        const LONGEST_LINE: usize = 4096;
        for byte in bytes {
            match byte {
                b'\n' => self.end_line(),
                byte => self.begun.push(byte),
            }
            if self.begun.len() >= LONGEST_LINE {
                self.end_line();
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 * 1024)
    }
}

impl Drop for PrintedStream {
    // A last line without its line end would be lost otherwise.
    fn drop(&mut self) {
        if !self.begun.is_empty() {
            self.end_line();
        }
    }
}
