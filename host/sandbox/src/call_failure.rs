//! Why a call into a plugin gave no answer: the guest refused it, ran into a limit, or crashed.
//!
//! In: an error of the guest or of wasmtime. Out: a [`PluginError`]. The kind is decided by the
//! error's type, never by its text.

use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::bindings::exports::loader::plugin::transform;
use crate::deadlines::TimeLimit;
use crate::error::{Call, PluginError, PluginErrorKind, tame};
use crate::instance_state::{InstanceState, RefusedGrowth};
use crate::limits::{Limits, size};

/// The most frames of a trap that a message shows.
const FRAMES_SHOWN: usize = 3;

/// Makes a [`PluginError`] of the guest's own error. The code `bad-config` is about the config. Any
/// other code is about the input: for example, `out-of-range`.
pub(crate) fn refused(error: transform::Error, limits: &Limits) -> PluginError {
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

/// Says why a call ended without an answer.
// The causes are tried from the most telling to the least: a limit of the sandbox, then a trap,
// then the guest's own `exit`, and at last an error of the host while it took the answer.
pub(crate) fn explain(
    error: &wasmtime::Error,
    state: &InstanceState,
    limits: &Limits,
    call: Call,
) -> PluginError {
    let trap = error.downcast_ref::<Trap>().copied();
    let explained = match (hit_limit(trap, state, limits, call), trap) {
        (Some(hit), _) => hit,
        (None, Some(trap)) => crashed(&crash(trap)),
        (None, None) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(code)) => crashed(&format!("it called exit({code})")),
            None => untaken(error, limits, call),
        },
    };
    let said = state.log().last_error();
    explained.in_call(call).guest_said(said).with_frames(frames(error))
}

/// The error of the limit that ended the call, if a limit did.
// A guest that was refused memory or table elements then traps in its own way: for example, Rust
// aborts with `unreachable`. So a refusal counts more than any trap, except the deadline's: a guest
// that went on without the memory and then ran too long was ended by the time.
fn hit_limit(
    trap: Option<Trap>,
    state: &InstanceState,
    limits: &Limits,
    call: Call,
) -> Option<PluginError> {
    let fact = match (trap, state.limiter.refused) {
        (Some(Trap::Interrupt), _) => {
            let TimeLimit { key, seconds } = TimeLimit::of(call, limits);
            format!("ran longer than {key} = {seconds} s")
        }
        (_, Some(RefusedGrowth::Memory { wanted })) => {
            let (limit, wanted) = (size(limits.memory_bytes), size(wanted));
            format!("wanted {wanted} of memory, more than memory_bytes = {limit}, and gave up")
        }
        (_, Some(RefusedGrowth::Table { wanted })) => {
            let limit = limits.table_elements;
            format!("wanted a table of {wanted} elements, more than table_elements = {limit}")
        }
        (Some(Trap::StackOverflow), _) => {
            format!("used up its stack, stack_bytes = {}", size(limits.stack_bytes))
        }
        _ => return None,
    };
    Some(PluginError::limit(fact))
}

fn crashed(how: &str) -> PluginError {
    PluginError::new(PluginErrorKind::Trap, format!("crashed: {how}"))
        .remedy("report it to its author")
}

/// The error of a call that ended without a trap: the host refused to go on.
fn untaken(error: &wasmtime::Error, limits: &Limits, call: Call) -> PluginError {
    let cause = tame(&error.root_cause().to_string(), 512);
    match call {
        Call::Instantiate => PluginError::protocol(format!("could not be instantiated: {cause}"))
            .remedy(format!(
                "its limits are core_instances = {}, memories = {}, tables = {}",
                limits.core_instances, limits.memories, limits.tables
            )),
        Call::ConfigSchema | Call::MakePlan | Call::Open | Call::Process | Call::Finish => {
            PluginError::protocol(format!("the host could not take what it passed: {cause}"))
                .remedy(format!(
                    "one call may pass at most returned_bytes = {}; otherwise this is a mistake in \
                     the plugin",
                    size(limits.returned_bytes)
                ))
        }
    }
}

/// Describes a trap to an author of plugins. The text is wasmtime's own without its "wasm trap:",
/// except for `unreachable`, which is how a panic ends.
fn crash(trap: Trap) -> String {
    match trap {
        Trap::UnreachableCodeReached => "it panicked or aborted (unreachable code)".to_owned(),
        other => other.to_string().trim_start_matches("wasm trap: ").to_owned(),
    }
}

/// The names of functions between a panic and its trap begin with one of these.
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

/// The innermost functions of the guest, without the machinery of panics.
fn frames(error: &wasmtime::Error) -> Vec<String> {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    trace
        .frames()
        .iter()
        .filter_map(|frame| frame.func_name())
        // A name with `#` is the exported function, which the message names already: for example,
        // `loader:plugin/transform@0.1.0#make-plan`.
        .filter(|name| !name.contains('#'))
        .map(|name| tame(&short_name(&format!("{:#}", rustc_demangle::demangle(name))), 120))
        .filter(|name| !MACHINERY.iter().any(|machinery| name.starts_with(machinery)))
        .take(FRAMES_SHOWN)
        .collect()
}

/// Shortens the name of a trait's method: `<some::Type as some::Trait>::method` becomes
/// `some::Type::method`. Other names stay as they are.
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
}
