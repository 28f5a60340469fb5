//! The engine of the process: from the bytes of a file to a plugin, compiled or from the cache.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Instant;

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel};

use crate::aot::AotCache;
use crate::bindings;
use crate::deadlines;
use crate::digest::sha256_hex;
use crate::error::{PluginError, PluginErrorKind, tame};
use crate::inspect::{Identity, inspect};
use crate::instance_state::InstanceState;
use crate::limits::{Limits, size};
use crate::off_thread::{Unfinished, within};
use crate::plugin::{Plugin, PluginParts};
use crate::wasi;

/// The place of the compiled plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheLocation {
    /// This directory, which is made when missing and must belong to this user alone.
    Dir(PathBuf),
    /// `$XDG_CACHE_HOME/loader/plugins`, or `~/.cache/loader/plugins`.
    Default,
    /// No place: plugins are compiled on each start.
    Off,
}

impl CacheLocation {
    /// Opens the cache; `None`, with a warning, when it cannot be used.
    fn open(self) -> Option<AotCache> {
        let dir = match self {
            CacheLocation::Off => return None,
            CacheLocation::Dir(dir) => dir,
            CacheLocation::Default => default_dir()?,
        };
        match AotCache::open(dir.clone()) {
            Ok(cache) => Some(cache),
            Err(error) => {
                tracing::warn!(
                    dir = %dir.display(), error,
                    "plugin cache is not used, plugins are compiled on each start"
                );
                None
            }
        }
    }
}

/// Whether the instructions of plugins are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metering {
    /// No: plugins run at full speed.
    #[default]
    Off,
    /// Yes, which makes plugins up to three times slower. The count of the same work is the same on
    /// every machine and every day.
    Fuel,
}

/// Loads plugins. A process needs one runtime: it has the engine and a thread that interrupts
/// guests which run too long.
#[derive(Clone)]
pub struct Runtime {
    engine: Engine,
    limits: Arc<Limits>,
    cache: Option<Arc<AotCache>>,
    metering: Metering,
}

impl Runtime {
    /// Starts the engine. A cache that cannot be used is a warning, not an error.
    ///
    /// Errors: `Host`, when the machine cannot run wasmtime with these limits.
    pub fn new(limits: Limits, cache: CacheLocation) -> Result<Runtime, PluginError> {
        Runtime::metered(limits, cache, Metering::Off)
    }

    /// As [`Runtime::new`], with a choice whether instructions are counted.
    pub fn metered(
        limits: Limits,
        cache: CacheLocation,
        metering: Metering,
    ) -> Result<Runtime, PluginError> {
        let engine = Engine::new(&config(&limits, metering)).map_err(|error| {
            PluginError::host(format!("the WebAssembly engine does not start: {error:#}"))
        })?;
        deadlines::start_clock(&engine)?;
        Ok(Runtime {
            engine,
            limits: Arc::new(limits),
            cache: cache.open().map(Arc::new),
            metering,
        })
    }

    /// Turns the bytes of a component into a plugin. `path` is used only as the plugin's name.
    ///
    /// All outside parts are checked before the component is compiled, and no code of the plugin is
    /// run. A large plugin takes seconds to compile, and milliseconds to load from the cache.
    ///
    /// Errors: `NotAPlugin`, `ContractVersion`, `ForbiddenImport`, `Limit` (size, time to compile),
    /// `Host`.
    pub fn load(&self, path: &Path, bytes: Vec<u8>) -> Result<Plugin, PluginError> {
        let file = tame(&path.display().to_string(), 512);
        self.load_file(path, bytes).map_err(|error| error.of(file))
    }

    fn load_file(&self, path: &Path, bytes: Vec<u8>) -> Result<Plugin, PluginError> {
        self.check_size(bytes.len())?;
        let identity = inspect(&bytes)?;
        let sha256 = sha256_hex(&bytes);
        let component = self.component(path, &sha256, bytes)?;
        let pre = self.link(&component, &identity)?;
        Ok(self.plugin(path, sha256, identity, pre))
    }

    pub(crate) fn plugin(
        &self,
        path: &Path,
        sha256: String,
        identity: Identity,
        pre: bindings::PluginPre<InstanceState>,
    ) -> Plugin {
        Plugin::new(PluginParts {
            name: identity.name.unwrap_or_else(|| stem(path)),
            version: identity.version.unwrap_or_else(|| "0".to_owned()),
            sha256,
            wants_wasi: identity.wants_wasi,
            engine: self.engine.clone(),
            limits: Arc::clone(&self.limits),
            pre,
            counts_fuel: self.metering == Metering::Fuel,
            config_schema: OnceLock::new(),
        })
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn check_size(&self, bytes: usize) -> Result<(), PluginError> {
        let limit = self.limits.plugin_bytes;
        if bytes <= limit {
            return Ok(());
        }
        let fact = format!("its {} are more than plugin_bytes = {}", size(bytes), size(limit));
        Err(PluginError::limit(fact).remedy("raise it in [limits] or build a smaller plugin"))
    }

    // The cache is asked by the digest of the bytes at hand, and never by the path or the name: a
    // plugin that was built anew has another digest and is compiled.
    pub(crate) fn component(
        &self,
        path: &Path,
        sha256: &str,
        bytes: Vec<u8>,
    ) -> Result<Component, PluginError> {
        if let Some(component) =
            self.cache.as_ref().and_then(|cache| cache.load(&self.engine, sha256))
        {
            return Ok(component);
        }
        tracing::info!(path = %path.display(), bytes = bytes.len(), "compiling plugin");
        let start = Instant::now();
        let component = self.compile(bytes)?;
        tracing::info!(
            path = %path.display(), elapsed_ms = start.elapsed().as_millis() as u64,
            "compiled plugin"
        );
        if let Some(cache) = &self.cache {
            cache.store(&self.engine, sha256, &component);
        }
        Ok(component)
    }

    fn compile(&self, bytes: Vec<u8>) -> Result<Component, PluginError> {
        const NAME: &str = "plugin-compile";
        let (engine, seconds) = (self.engine.clone(), self.limits.compile_seconds);
        let thread = thread::Builder::new().name(NAME.to_owned());
        within(thread, seconds, move || Component::from_binary(&engine, &bytes))
            .map_err(|unfinished| match unfinished {
                Unfinished::NotStarted(error) => {
                    PluginError::host(format!("thread {NAME} does not start: {error}"))
                }
                Unfinished::TimeIsUp => PluginError::limit(format!(
                    "took longer to compile than compile_seconds = {seconds} s"
                )),
                Unfinished::Panicked => PluginError::host("the compiler failed on it"),
            })?
            .map_err(|error| {
                let fact = format!("does not compile: {}", tame(&format!("{error:#}"), 1024));
                PluginError::new(PluginErrorKind::NotAPlugin, fact).remedy("build or copy it again")
            })
    }

    /// Links the plugin to the host's functions, and checks the types of the contract.
    // `inspect` has seen only the names of imports and exports. A component may export
    // `loader:plugin/transform@0.1.0` with other functions in it; that shows here.
    pub(crate) fn link(
        &self,
        component: &Component,
        identity: &Identity,
    ) -> Result<bindings::PluginPre<InstanceState>, PluginError> {
        let linker = self.linker(identity).map_err(|error| {
            PluginError::host(format!("the host's functions could not be linked: {error:#}"))
        })?;
        linker.instantiate_pre(component).and_then(bindings::PluginPre::new).map_err(|error| {
            PluginError::new(
                PluginErrorKind::ContractVersion,
                format!("does not fit loader:plugin 0.1: {}", tame(&format!("{error:#}"), 1024)),
            )
            .remedy("build it from wit/0.1 of this release")
        })
    }

    /// The functions that a plugin may import.
    fn linker(&self, identity: &Identity) -> wasmtime::Result<Linker<InstanceState>> {
        let mut linker = Linker::new(&self.engine);
        bindings::Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
        if identity.wants_wasi {
            wasi::add_to_linker(&mut linker)?;
        }
        Ok(linker)
    }
}

/// The settings of the engine: deterministic and interruptible, with no more of WebAssembly than
/// plugins need.
// Relaxed SIMD and the bits of NaN may differ between processors, so the first is off and the
// second is made the same. The same rows then give the same columns on every machine.
fn config(limits: &Limits, metering: Metering) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_simd(true)
        .wasm_relaxed_simd(false)
        .relaxed_simd_deterministic(true)
        .wasm_memory64(false)
        .cranelift_nan_canonicalization(true)
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .consume_fuel(metering == Metering::Fuel)
        .concurrency_support(false)
        .max_wasm_stack(limits.stack_bytes)
        .allocation_strategy(InstanceAllocationStrategy::OnDemand)
        .memory_init_cow(true);
    config
}

fn default_dir() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("loader/plugins"));
    if cache.is_none() {
        tracing::warn!("no HOME to keep compiled plugins in, they are compiled on each start");
    }
    cache
}

/// The name of a plugin whose component has none: that of its file, without the suffix. For
/// example, the name of `plugins/tidy.wasm` is `tidy`.
fn stem(path: &Path) -> String {
    tame(&path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy(), 64)
}
