//! What the demo, the tests and the checks need beside cargo and a C compiler: PostgreSQL's
//! programs, a Rust toolchain for WebAssembly, a browser, Python with boto3 and moto, the
//! emulator of Lambda, a collector of OpenTelemetry, Java with Apache Spark, valgrind, typos and
//! cargo-deny. The benchmark needs what it compares with.
//!
//! Each is found when it is there, installed by apt, rustup or pip when that is possible, and
//! otherwise an error says what to install. Only this command installs packages of the system.

use std::path::{Path, PathBuf};
use std::process::Command;

use loader_build::Toolchain;

use crate::failure::{Failure, failure};
use crate::run::{cargo, output, quietly, run, succeeds, target, watched};

/// The version whose dictionary the sources are held to.
const TYPOS: &str = "typos==1.52.0";
/// The emulator of Lambda, which is of the same project as the runtime that the program is built on.
const CARGO_LAMBDA: &str = "cargo-lambda==1.9.2";
/// The versions of Spark that loads are tested on, those of AWS Glue 5 and 6, with what DataFrames need.
/// Beside the second is Sail, which is a server for Spark's clients, and what these need for it.
const SPARKS: [(&str, &[&str]); 2] = [
    ("spark-3", &["pyspark==3.5.6", "pyarrow==26.0.1", "pandas==3.1.1"]),
    (
        "spark-4",
        &[
            "pyspark==4.1.1",
            "pyarrow==26.0.1",
            "pandas==3.1.1",
            "pysail==0.7.2",
            "grpcio==1.85.3",
            "grpcio-status==1.85.3",
            "googleapis-common-protos==1.76.0",
            "zstandard==0.25.0",
        ],
    ),
];
const ROTEL: &str = "rotel==0.0.1a15";
/// Names of browsers that can be run without a screen.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const CARGO_DENY: &str = "cargo-deny@0.19.9";

/// What the tests need beside what is on the path.
pub(crate) struct ForTests {
    /// What compiles plugins.
    pub(crate) toolchain: Toolchain,
    /// A Python with a client of AWS and a server of SQS.
    pub(crate) python: PathBuf,
    /// The emulator of Lambda.
    pub(crate) cargo_lambda: PathBuf,
    /// A collector of OpenTelemetry.
    pub(crate) rotel: PathBuf,
    /// Pythons with Spark, one for each version; none where there is no Java.
    pub(crate) sparks: Vec<PathBuf>,
}

/// Everything that the tests need.
pub(crate) fn for_tests() -> Result<ForTests, Failure> {
    postgres()?;
    browser();
    valgrind();
    Ok(ForTests {
        toolchain: toolchain()?,
        python: python(&["boto3", "moto[server]"])?,
        cargo_lambda: program_of_pypi("cargo-lambda", CARGO_LAMBDA)?,
        rotel: rotel()?,
        sparks: sparks(),
    })
}

/// Java and the versions of Spark. A machine that has no Java, or cannot reach PyPI, says so and goes
/// on, unless it is CI.
fn sparks() -> Vec<PathBuf> {
    eprintln!("== setup: Java, for Apache Spark");
    let has_java = || succeeds("java", &["-version"]);
    if !has_java() && (apt(&["openjdk-17-jre-headless"]).is_err() || !has_java()) {
        eprintln!("no Java is installed, so nothing is loaded on Spark");
        return Vec::new();
    }
    let python = |(name, packages): &(&str, &[&str])| {
        let python = python_in(name, packages);
        python.inspect_err(|error| eprintln!("{name} is not installed: {error}")).ok()
    };
    SPARKS.iter().filter_map(python).collect()
}

/// A browser, in which the page of `loader report` is looked at. Without one that test says that it
/// looks at nothing, unless it runs in CI.
fn browser() {
    eprintln!("== setup: a browser");
    let has_one = || BROWSERS.iter().any(|name| succeeds(name, &["--version"]));
    if !has_one() && apt(&["chromium"]).is_err() {
        eprintln!("no browser is installed, so no test looks at the page of `loader report`");
    }
}

/// Valgrind, under which the instructions of the data path are counted. Some systems have none, so
/// a machine without it says so and goes on, unless it is CI.
pub(crate) fn valgrind() {
    eprintln!("== setup: valgrind");
    if !has_valgrind() && apt(&["valgrind"]).is_err() {
        eprintln!("valgrind is not installed, so no instructions of the data path are counted");
    }
}

pub(crate) fn has_valgrind() -> bool {
    succeeds("valgrind", &["--version"])
}

/// What compiles plugins.
pub(crate) fn toolchain() -> Result<Toolchain, Failure> {
    eprintln!("== setup: a Rust toolchain for WebAssembly");
    Ok(Toolchain::install()?)
}

/// PostgreSQL's programs, for the stand-in. No server of the system's own is used.
pub(crate) fn postgres() -> Result<(), Failure> {
    eprintln!("== setup: PostgreSQL");
    if has_postgres() {
        return Ok(());
    }
    // Debian starts a cluster of its own on installing. The tests do not need it, and it does no
    // harm.
    apt(&["postgresql"])?;
    if has_postgres() {
        return Ok(());
    }
    failure(
        "PostgreSQL is not installed; install it (Debian: apt-get install postgresql; macOS: brew \
         install postgresql) or name its folder of programs in LOADER_POSTGRES_BIN",
    )
}

fn has_postgres() -> bool {
    let on_path = succeeds("postgres", &["--version"]) && succeeds("initdb", &["--version"]);
    let given = std::env::var_os("LOADER_POSTGRES_BIN")
        .is_some_and(|dir| Path::new(&dir).join("initdb").exists());
    on_path || given || has_debians_postgres() || has_homebrews_postgres()
}

/// Debian keeps the programs of each version in a folder of its own, off the path.
fn has_debians_postgres() -> bool {
    entries("/usr/lib/postgresql").any(|version| version.join("bin/initdb").exists())
}

/// Homebrew puts no version on the path when it was installed by its number (`postgresql@17`).
fn has_homebrews_postgres() -> bool {
    let packages = ["/opt/homebrew/opt", "/usr/local/opt"].into_iter().flat_map(entries);
    packages
        .filter(|package| package.to_string_lossy().contains("/postgresql"))
        .any(|package| package.join("bin/initdb").exists())
}

/// What a folder contains: nothing when it is not there.
fn entries(folder: &str) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// A Python that can import these packages: the system's, or a virtual environment in the target
/// folder.
pub(crate) fn python(packages: &[&str]) -> Result<PathBuf, Failure> {
    eprintln!("== setup: Python with {}", packages.join(", "));
    // What a package has in brackets is a part of it: `moto[server]` is there as `moto.server`.
    let modules: Vec<String> =
        packages.iter().map(|package| package.replace('[', ".").replace(']', "")).collect();
    let imports = format!("import {}", modules.join(", "));
    let is_enough = |python: &Path| succeeds(python, &["-c", &imports]);
    let system = PathBuf::from("python3");
    if is_enough(&system) {
        return Ok(system);
    }
    let python = virtual_environment()?;
    if !is_enough(&python) {
        pip_install(&python, packages)?;
    }
    Ok(python)
}

/// The Python of the environment `name` in the target folder, with packages of just these versions
/// (`duckdb==2.0.1`). The system's packages do not count, and no other environment gets these.
pub(crate) fn python_in(name: &str, packages: &[&str]) -> Result<PathBuf, Failure> {
    eprintln!("== setup: Python with {}", packages.join(", "));
    let python = environment(name)?;
    let check =
        "import sys, importlib.metadata as m; sys.exit(m.version(sys.argv[1]) != sys.argv[2])";
    let is_there = |package: &&str| {
        let (name, version) = package.split_once("==").unwrap_or((package, ""));
        succeeds(&python, &["-c", check, name, version])
    };
    if !packages.iter().all(is_there) {
        pip_install(&python, packages)?;
    }
    Ok(python)
}

/// The spelling checker.
pub(crate) fn typos() -> Result<PathBuf, Failure> {
    program_of_pypi("typos", TYPOS)
}

/// A program that PyPI has: the one on the path, or one in the virtual environment.
fn program_of_pypi(name: &str, package: &str) -> Result<PathBuf, Failure> {
    eprintln!("== setup: {name}");
    let on_path = PathBuf::from(name);
    if succeeds(&on_path, &["--version"]) {
        return Ok(on_path);
    }
    let python = virtual_environment()?;
    let program = python.with_file_name(name);
    if !program.exists() {
        // It is a program alone. What its package wants beside it is for other commands of it.
        pip_install(&python, &["--no-deps", package])?;
    }
    Ok(program)
}

/// The collector of OpenTelemetry, which is a program within a package of Python.
fn rotel() -> Result<PathBuf, Failure> {
    eprintln!("== setup: a collector of OpenTelemetry");
    let python = virtual_environment()?;
    let found = || -> Result<Option<PathBuf>, Failure> {
        let ask = "import sysconfig; print(sysconfig.get_path('purelib'))";
        let packages = output(Command::new(&python).args(["-c", ask]))?;
        let program = Path::new(packages.trim()).join("rotel/rotel-agent");
        Ok(program.exists().then_some(program))
    };
    if found()?.is_none() {
        pip_install(&python, &["--no-deps", ROTEL])?;
    }
    match found()? {
        Some(program) => Ok(program),
        None => failure("the package rotel of PyPI has no program rotel-agent"),
    }
}

/// The checker of licences, sources and bans: the program on the path, or else cargo builds
/// it into the target folder. `--debug` builds it in half the time, and it runs for seconds.
pub(crate) fn cargo_deny() -> Result<PathBuf, Failure> {
    let on_path = PathBuf::from("cargo-deny");
    if succeeds(&on_path, &["--version"]) {
        return Ok(on_path);
    }
    let tools = target().join("tools");
    let program = tools.join("bin/cargo-deny");
    if !program.exists() {
        let mut cargo = cargo(&["install", "--locked", "--debug", "--root"]);
        watched(cargo.arg(&tools).arg(CARGO_DENY))?;
    }
    Ok(program)
}

/// The Python of the tests' virtual environment.
fn virtual_environment() -> Result<PathBuf, Failure> {
    environment("venv")
}

/// The Python of a virtual environment in the target folder, which is made when it is missing.
fn environment(name: &str) -> Result<PathBuf, Failure> {
    let venv = target().join(name);
    let python = venv.join("bin/python");
    if python.exists() {
        return Ok(python);
    }
    let system = Path::new("python3");
    if !succeeds(system, &["-c", "import venv, ensurepip"]) {
        apt(&["python3", "python3-venv"])?;
    }
    run(Command::new(system).args(["-m", "venv"]).arg(&venv))?;
    Ok(python)
}

fn pip_install(python: &Path, packages: &[&str]) -> Result<(), Failure> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    quietly(&format!("installing {} by pip", packages.join(", ")), pip.args(packages))
}

/// Installs Debian packages, when this is Debian and we may.
fn apt(packages: &[&str]) -> Result<(), Failure> {
    let names = packages.join(" ");
    if !succeeds("apt-get", &["--version"]) {
        return failure(format!(
            "{names} must be installed, and there is no apt-get; install what your system calls so"
        ));
    }
    if !is_root()? {
        return failure(format!("{names} must be installed: sudo apt-get install {names}"));
    }
    let apt = |what: &str, arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        quietly(what, apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt("updating apt's list of packages", &["update"])?;
    let arguments = [["install", "-y", "--no-install-recommends"].as_slice(), packages];
    apt(&format!("installing {names} by apt"), &arguments.concat())
}

fn is_root() -> Result<bool, Failure> {
    Ok(succeeds("id", &["-u"]) && output(Command::new("id").arg("-u"))?.trim() == "0")
}
