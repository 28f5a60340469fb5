//! One instance of a plugin with its memory, and the rules of every call into it.
//!
//! [`Sandbox::call`] sets the deadline, makes the call, and turns whatever ended it into a
//! [`PluginError`]: a trap, a limit, or an answer that the host could not take. An instance that
//! failed is never entered again.

use wasmtime::Store;

use crate::bindings;
use crate::bindings::exports::loader::plugin::transform::Error as GuestError;
use crate::call_failure::{explain, refused};
use crate::deadlines::TimeLimit;
use crate::error::{Call, PluginError};
use crate::guest_log::GuestLog;
use crate::instance_state::InstanceState;
use crate::plugin::Plugin;

/// More than any guest burns within its deadlines: fuel is counted, never a limit.
const FUEL: u64 = u64::MAX;

/// An instance of a plugin, for one thread.
pub(crate) struct Sandbox {
    store: Store<InstanceState>,
    guest: bindings::Plugin,
    plugin: Plugin,
}

impl Sandbox {
    /// Instantiates the plugin. `now_micros`: what its clock shows, if it has one.
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

    /// The same for a call that the guest may refuse with an error of its own.
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
        self.store.data().log().dropped()
    }
}

/// The memory of an instance, under all limits, with the time to instantiate it.
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
