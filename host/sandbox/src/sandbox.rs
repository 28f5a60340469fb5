//! One instance of a plugin with its memory, and the rules of every call into it.
//!
//! [`Sandbox::call`] sets the deadline, makes the call, and turns its failure into a
//! [`PluginError`]: a trap, a limit, or an answer that the host could not take. An instance that
//! failed is never called again.

use wasmtime::Store;

use crate::bindings;
use crate::bindings::exports::loader::plugin::transform::Error as GuestError;
use crate::call_failure::{explain, refused};
use crate::deadlines::TimeLimit;
use crate::error::{Call, PluginError};
use crate::guest_log::GuestLog;
use crate::instance_state::InstanceState;
use crate::plugin::Plugin;

/// More fuel than a guest can use within its deadlines. Fuel only counts and is never a limit.
const FUEL: u64 = u64::MAX;

/// An instance of a plugin, for one thread.
pub(crate) struct Sandbox {
    store: Store<InstanceState>,
    guest: bindings::Plugin,
    plugin: Plugin,
}

impl Sandbox {
    /// Instantiates the plugin. `now_micros`: the time that its clock shows, if it has one.
    pub(crate) fn new(plugin: &Plugin, now_micros: i64) -> Result<Sandbox, PluginError> {
        let mut store = store(plugin, now_micros)?;
        match plugin.pre().instantiate(&mut store) {
            Ok(guest) => Ok(Sandbox { store, guest, plugin: plugin.clone() }),
            Err(error) => {
                let state = store.data();
                Err(explain(&error, state, plugin.limits(), Call::Instantiate).of(plugin.label()))
            }
        }
    }

    /// Makes one call within its time. After an error the instance must not be used again.
    // The state of the last call is cleared first. Otherwise memory that was refused in `open`, and
    // that the guest did without, would explain a later trap in `process`. The deadline counts from
    // the moment that it is set, so each call sets its own.
    pub(crate) fn call<T>(
        &mut self,
        call: Call,
        make: impl FnOnce(&mut Store<InstanceState>, &bindings::Plugin) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        let limits = self.plugin.limits();
        self.store.data().log().start_call();
        self.store.data_mut().limiter.refused = None;
        self.store.set_epoch_deadline(TimeLimit::of(call, limits).epochs());
        make(&mut self.store, &self.guest).map_err(|error| {
            explain(&error, self.store.data(), limits, call).of(self.plugin.label())
        })
    }

    /// As [`Sandbox::call`], for a call that the guest may refuse with an error of its own.
    pub(crate) fn ask<T>(
        &mut self,
        call: Call,
        make: impl FnOnce(
            &mut Store<InstanceState>,
            &bindings::Plugin,
        ) -> wasmtime::Result<Result<T, GuestError>>,
    ) -> Result<T, PluginError> {
        self.call(call, make)?.map_err(|error| {
            refused(error, self.plugin.limits()).in_call(call).of(self.plugin.label())
        })
    }

    /// The largest size of one memory of the instance, in bytes.
    pub(crate) fn peak_memory_bytes(&self) -> u64 {
        self.store.data().limiter.peak_memory_bytes as u64
    }

    /// Roughly the number of instructions so far; `None` when they are not counted.
    pub(crate) fn fuel(&self) -> Option<u64> {
        self.store.get_fuel().ok().map(|left| FUEL - left)
    }

    /// The number of log lines that were dropped.
    pub(crate) fn log_lines_dropped(&self) -> u64 {
        self.store.data().log().dropped()
    }
}

/// Makes the store of an instance, under all limits and with the deadline to instantiate it.
// Limits and deadline are set before `instantiate`, because the guest's start functions already run
// in it.
fn store(plugin: &Plugin, now_micros: i64) -> Result<Store<InstanceState>, PluginError> {
    let limits = plugin.limits();
    let log = GuestLog::new(plugin.label(), limits, plugin.listener());
    let mut store = Store::new(plugin.engine(), InstanceState::new(log, limits, now_micros));
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(limits.returned_bytes);
    store.set_max_component_handles(limits.handles);
    store.set_epoch_deadline(TimeLimit::of(Call::Instantiate, limits).epochs());
    if plugin.counts_fuel() {
        store
            .set_fuel(FUEL)
            .map_err(|error| PluginError::host(format!("fuel cannot be counted: {error:#}")))?;
    }
    Ok(store)
}
