//! One instance of a plugin with its memory, and the rules of every call into it.
//!
//! [`Sandbox::call`] sets the deadline, makes the call, and turns whatever ended it into a
//! [`PluginError`]: a trap, a limit, or an answer that the host could not take. An instance that
//! failed is never entered again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::{ResourceLimiter, Store, Trap, WasmBacktrace};
use wasmtime_wasi::{I32Exit, WasiCtxView, WasiView};

use crate::bindings;
use crate::error::{Call, PluginError, PluginErrorKind, tame};
use crate::guest_log::GuestLog;
use crate::limits::{Limits, size};
use crate::plugin::Plugin;
use crate::runtime::TICK;
use crate::wasi::Wasi;

/// Frames of a trap that a message shows.
const FRAMES_SHOWN: usize = 3;
/// More than any guest burns within its deadlines: fuel is counted, never a limit.
const FUEL: u64 = u64::MAX;

/// What the host keeps for one instance.
pub(crate) struct State {
    log: Arc<Mutex<GuestLog>>,
    limiter: Limiter,
    now_micros: i64,
    wasi: Option<Wasi>,
}

impl bindings::loader::plugin::host::Host for State {
    fn log(&mut self, level: u8, message: String) {
        lock(&self.log).line(level, &message);
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.get_or_insert_with(|| Wasi::new(self.now_micros, &self.log)).view()
    }
}

/// Refuses what goes past the limits, and remembers that it did: a guest whose allocation failed
/// traps next.
struct Limiter {
    memory_bytes: usize,
    table_elements: usize,
    memories: usize,
    tables: usize,
    instances: usize,
    refused: Option<Refused>,
    peak_memory_bytes: usize,
}

#[derive(Clone, Copy)]
enum Refused {
    Memory { wanted: usize },
    Table { wanted: usize },
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _max: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.memory_bytes {
            self.refused = Some(Refused::Memory { wanted: desired });
            return Ok(false);
        }
        self.peak_memory_bytes = self.peak_memory_bytes.max(desired);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _max: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.table_elements {
            self.refused = Some(Refused::Table { wanted: desired });
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

/// An instance of a plugin, for one thread.
pub(crate) struct Sandbox {
    store: Store<State>,
    guest: bindings::Plugin,
    plugin: Plugin,
    log: Arc<Mutex<GuestLog>>,
}

impl Sandbox {
    /// Instantiates the plugin. `now_micros`: what its clock shows, if it has one.
    pub(crate) fn new(plugin: &Plugin, now_micros: i64) -> Result<Sandbox, PluginError> {
        let limits = plugin.limits();
        let log = Arc::new(Mutex::new(GuestLog::new(plugin.label(), limits, plugin.listener())));
        let state = State {
            log: Arc::clone(&log),
            limiter: Limiter {
                memory_bytes: limits.memory_bytes,
                table_elements: limits.table_elements,
                memories: limits.memories,
                tables: limits.tables,
                instances: limits.core_instances,
                refused: None,
                peak_memory_bytes: 0,
            },
            now_micros,
            wasi: None,
        };
        let mut store = Store::new(plugin.engine(), state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(limits.returned_bytes);
        store.set_max_component_handles(limits.handles);
        store.set_epoch_deadline(ticks(seconds(limits, Call::Instantiate)));
        if plugin.counts_fuel() {
            store
                .set_fuel(FUEL)
                .map_err(|error| PluginError::host(format!("fuel cannot be counted: {error:#}")))?;
        }
        match plugin.pre().instantiate(&mut store) {
            Ok(guest) => Ok(Sandbox { store, guest, plugin: plugin.clone(), log }),
            Err(error) => {
                Err(explain(&error, &store, limits, Call::Instantiate).of(plugin.label()))
            }
        }
    }

    /// Makes one call within its time. After an error the instance must not be used again.
    pub(crate) fn call<T>(
        &mut self,
        call: Call,
        make: impl FnOnce(&mut Store<State>, &bindings::Plugin) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        let limits = self.plugin.limits();
        lock(&self.log).start_call();
        self.store.data_mut().limiter.refused = None;
        self.store.set_epoch_deadline(ticks(seconds(limits, call)));
        make(&mut self.store, &self.guest)
            .map_err(|error| explain(&error, &self.store, limits, call).of(self.plugin.label()))
    }

    /// Most bytes that one of its memories had.
    pub(crate) fn peak_memory_bytes(&self) -> u64 {
        self.store.data().limiter.peak_memory_bytes as u64
    }

    /// Instructions that it has run so far, about; `None` when they are not counted.
    pub(crate) fn fuel(&self) -> Option<u64> {
        self.store.get_fuel().ok().map(|left| FUEL - left)
    }

    /// Log lines that did not fit.
    pub(crate) fn log_lines_dropped(&self) -> u64 {
        lock(&self.log).dropped()
    }
}

/// The guest's own error, as the contract has it, made ours.
pub(crate) fn refused(
    error: bindings::exports::loader::plugin::transform::Error,
    limits: &Limits,
) -> PluginError {
    let code = tame(&error.code, 64);
    let kind = match code.as_str() {
        "bad-config" => PluginErrorKind::Config,
        _ => PluginErrorKind::Refused,
    };
    let message = match tame(&error.message, limits.message_bytes) {
        silent if silent.is_empty() => "refused it without a word".to_owned(),
        message => message,
    };
    let fact = if code.is_empty() { message } else { format!("{message} ({code})") };
    PluginError::new(kind, fact)
        .with_code(code)
        .for_column(error.column.map(|column| tame(&column, 256)))
}

fn lock(log: &Mutex<GuestLog>) -> MutexGuard<'_, GuestLog> {
    // A poisoned log is still a log.
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

fn seconds(limits: &Limits, call: Call) -> u64 {
    match call {
        Call::Instantiate | Call::Open => limits.open_seconds,
        Call::ConfigSchema | Call::MakePlan => limits.plan_seconds,
        Call::Process => limits.process_seconds,
        Call::Finish => limits.finish_seconds,
    }
}

fn seconds_key(call: Call) -> &'static str {
    match call {
        Call::Instantiate | Call::Open => "open_seconds",
        Call::ConfigSchema | Call::MakePlan => "plan_seconds",
        Call::Process => "process_seconds",
        Call::Finish => "finish_seconds",
    }
}

/// Epochs from now until the deadline. One more, because the epoch at hand has begun already.
fn ticks(seconds: u64) -> u64 {
    let per_second = 1_000 / TICK.as_millis() as u64;
    // wasmtime adds it to the current epoch, so the largest value would overflow.
    seconds.saturating_mul(per_second).saturating_add(1).min(u64::MAX / 2)
}

/// Says why a call ended without an answer. Decided by types, never by text.
fn explain(
    error: &wasmtime::Error,
    store: &Store<State>,
    limits: &Limits,
    call: Call,
) -> PluginError {
    let state = store.data();
    let said = lock(&state.log).last_error();
    let trap = error.downcast_ref::<Trap>().copied();
    let explained = match (trap, state.limiter.refused) {
        (Some(Trap::Interrupt), _) => PluginError::limit(format!(
            "ran longer than {} = {} s",
            seconds_key(call),
            seconds(limits, call)
        )),
        (_, Some(Refused::Memory { wanted })) => {
            let (limit, wanted) = (size(limits.memory_bytes), size(wanted));
            PluginError::limit(format!(
                "wanted {wanted} of memory, more than memory_bytes = {limit}, and gave up"
            ))
        }
        (_, Some(Refused::Table { wanted })) => {
            let limit = limits.table_elements;
            PluginError::limit(format!(
                "wanted a table of {wanted} elements, more than table_elements = {limit}"
            ))
        }
        (Some(Trap::StackOverflow), _) => PluginError::limit(format!(
            "used up its stack, stack_bytes = {}",
            size(limits.stack_bytes)
        )),
        (Some(trap), _) => {
            PluginError::new(PluginErrorKind::Trap, format!("crashed: {}", crash(trap)))
                .remedy("report it to its author")
        }
        (None, _) => untaken(error, limits, call),
    };
    explained.in_call(call).guest_said(said).with_frames(frames(error))
}

/// An end that is no trap: the host refused to go on.
fn untaken(error: &wasmtime::Error, limits: &Limits, call: Call) -> PluginError {
    if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        return PluginError::new(PluginErrorKind::Trap, format!("crashed: it called exit({code})"))
            .remedy("report it to its author");
    }
    let cause = tame(&error.root_cause().to_string(), 512);
    match call {
        Call::Instantiate => PluginError::protocol(format!(
            "could not be instantiated: \
                                                            {cause}"
        ))
        .remedy(format!(
            "its limits are core_instances = {}, memories = {}, tables = {}",
            limits.core_instances, limits.memories, limits.tables
        )),
        _ => PluginError::protocol(format!(
            "the host could not take what it passed: \
                                            {cause}"
        ))
        .remedy(format!(
            "one call may pass at most returned_bytes = {}; otherwise this is a mistake in the \
             plugin",
            size(limits.returned_bytes)
        )),
    }
}

/// What happened, in the words of someone who writes plugins. `Display` of a trap adds only "wasm
/// trap:".
fn crash(trap: Trap) -> String {
    match trap {
        Trap::UnreachableCodeReached => "it panicked or aborted (unreachable code)".to_owned(),
        other => other.to_string().trim_start_matches("wasm trap: ").to_owned(),
    }
}

/// The innermost functions of the guest, without the machinery of panics.
fn frames(error: &wasmtime::Error) -> Vec<String> {
    const MACHINERY: [&str; 10] = [
        "abort",
        "alloc::alloc",
        "alloc::raw_vec",
        "__rust",
        "__rg_",
        "core::panicking",
        "core::result::unwrap_failed",
        "core::option::",
        "rust_begin_unwind",
        "std::",
    ];
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    trace
        .frames()
        .iter()
        .filter_map(|frame| frame.func_name())
        // The exported function itself is the call, which the message names already.
        .filter(|name| !name.contains('#'))
        .map(|name| tame(&short_name(&format!("{:#}", rustc_demangle::demangle(name))), 120))
        .filter(|name| !MACHINERY.iter().any(|machinery| name.starts_with(machinery)))
        .take(FRAMES_SHOWN)
        .collect()
}

/// `<some::Type as some::Trait>::method` as `some::Type::method`; other names as they are.
fn short_name(name: &str) -> String {
    let method_of = |name: &str| {
        let (implementer, rest) = name.strip_prefix('<')?.split_once(" as ")?;
        let (_, method) = rest.rsplit_once(">::")?;
        Some(format!("{implementer}::{method}"))
    };
    method_of(name).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_of_traits_are_named_by_their_type() {
        assert_eq!(
            short_name("<a::Session as b::wit::GuestSession>::process"),
            "a::Session::process"
        );
        assert_eq!(short_name("<a::V<u8> as b::From<c::W>>::from"), "a::V<u8>::from");
        assert_eq!(short_name("a::b"), "a::b");
    }

    #[test]
    fn a_deadline_is_never_in_the_past_nor_past_the_end_of_counting() {
        assert_eq!(ticks(0), 1);
        assert_eq!(ticks(10), 1001);
        assert_eq!(ticks(u64::MAX), u64::MAX / 2);
    }
}
