//! The host's state for one instance of a plugin: its log, its limiter, and its WASI.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::ResourceLimiter;
use wasmtime_wasi::{WasiCtxView, WasiView};

use crate::bindings;
use crate::guest_log::GuestLog;
use crate::limits::Limits;
use crate::wasi::Wasi;

pub(crate) struct InstanceState {
    log: Arc<Mutex<GuestLog>>,
    pub(crate) limiter: Limiter,
    now_micros: i64,
    wasi: Option<Wasi>,
}

impl InstanceState {
    /// `now_micros`: the time that the instance's clock shows, if it has one.
    pub(crate) fn new(log: GuestLog, limits: &Limits, now_micros: i64) -> InstanceState {
        let (log, limiter) = (Arc::new(Mutex::new(log)), Limiter::new(limits));
        InstanceState { log, limiter, now_micros, wasi: None }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, GuestLog> {
        // A panic while the log was locked leaves at worst a line half counted.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl bindings::loader::plugin::host::Host for InstanceState {
    fn log(&mut self, level: u8, message: String) {
        InstanceState::log(self).line(level, &message);
    }
}

impl WasiView for InstanceState {
    // Made at the first use: a plugin without WASI never needs it.
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.get_or_insert_with(|| Wasi::new(self.now_micros, &self.log)).view()
    }
}

/// Refuses growth past the limits, and remembers the refusal: a guest whose allocation failed traps
/// next, and the trap alone does not tell why.
pub(crate) struct Limiter {
    memory_bytes: usize,
    /// What all memories of the instance have together.
    taken_bytes: usize,
    table_elements: usize,
    memories: usize,
    tables: usize,
    instances: usize,
    pub(crate) refused: Option<RefusedGrowth>,
    pub(crate) peak_memory_bytes: usize,
}

#[derive(Clone, Copy)]
pub(crate) enum RefusedGrowth {
    Memory { wanted: usize },
    Table { wanted: usize },
}

impl Limiter {
    fn new(limits: &Limits) -> Limiter {
        Limiter {
            memory_bytes: limits.memory_bytes,
            taken_bytes: 0,
            table_elements: limits.table_elements,
            memories: limits.memories,
            tables: limits.tables,
            instances: limits.core_instances,
            refused: None,
            peak_memory_bytes: 0,
        }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _max: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // One limit for all: a guest may have several memories, and a heap that is collected.
        let wanted = self.taken_bytes + desired.saturating_sub(current);
        // `false` and not an error: the guest sees that it is out of memory, and may go on.
        if wanted > self.memory_bytes {
            self.refused = Some(RefusedGrowth::Memory { wanted });
            return Ok(false);
        }
        self.taken_bytes = wanted;
        self.peak_memory_bytes = wanted;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _max: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.table_elements {
            self.refused = Some(RefusedGrowth::Table { wanted: desired });
            return Ok(false);
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}
