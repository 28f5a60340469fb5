//! Why a call into a plugin gave no answer: the guest refused it, ran into a limit, or crashed.
//!
//! In: what the guest or wasmtime says. Out: a [`PluginError`]. Decided by types, never by text.

use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::bindings::exports::loader::plugin::transform;
use crate::deadlines::TimeLimit;
use crate::error::{Call, PluginError, PluginErrorKind, tame};
use crate::instance_state::{InstanceState, RefusedGrowth};
use crate::limits::{Limits, size};

/// Frames of a trap that a message shows.
const FRAMES_SHOWN: usize = 3;

/// The guest's own error, from the contract's form to the host's. A code of `bad-config` is about
/// the config, any other about the input.
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

/// The limit that ended the call. A guest that was refused memory or table elements traps in a way
/// of its own choice, so the refusal counts more than any trap but the deadline's.
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

/// An end that is no trap: the host refused to go on.
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

/// What happened, in the words of an author of plugins. `Display` of a trap adds only "wasm trap:".
fn crash(trap: Trap) -> String {
    match trap {
        Trap::UnreachableCodeReached => "it panicked or aborted (unreachable code)".to_owned(),
        other => other.to_string().trim_start_matches("wasm trap: ").to_owned(),
    }
}

/// Functions between a panic and its trap begin like this.
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
}
