//! The walls between crates, proved by cargo: who may know what. ARCHITECTURE.md says why.

use crate::failure::{Failure, failure};
use crate::run::{cargo, output};

/// What must not be in a crate's tree of dependencies, at any depth.
const NEVER: &[(&str, &[&str])] = &[
    // Values and rules that the data path and the warehouse share.
    ("loader-model", &["tokio", "wasmtime", "aws-config", "clap", "arrow", "loader-csv"]),
    // Runs inside other engines: rows, and nothing that waits or asks. (tokio comes with the
    // sandbox's WASI and is never started.)
    ("loader-data", &["aws-config", "aws-sdk-s3", "aws-sdk-redshiftdata", "hyper", "clap"]),
    ("loader-data", &["indicatif", "loader-aws", "loader-warehouse", "loader-local"]),
    // Text and values.
    ("loader-warehouse", &["tokio", "wasmtime", "aws-config", "clap", "arrow", "loader-csv"]),
    ("loader-aws", &["wasmtime", "arrow", "parquet", "clap", "loader-data", "loader-local"]),
    // Asks a warehouse through `loader-aws`, for files that `loader-data` has written.
    ("loader-contract", &["clap", "loader-local", "tokio-postgres"]),
    ("loader-sandbox", &["aws-config", "aws-sdk-s3", "aws-sdk-redshiftdata", "clap"]),
    ("loader-csv", &["tokio", "wasmtime", "aws-config"]),
    (
        "loader-sniff",
        &["tokio", "wasmtime", "aws-config", "arrow-array", "loader-csv", "loader-model"],
    ),
    // The stand-in is a program of its own.
    ("loader", &["loader-local", "s3s", "sqlparser", "tokio-postgres"]),
    ("loader-local", &["wasmtime", "aws-config", "loader-model", "loader-warehouse", "loader-aws"]),
    ("loader-attach", &["hyper", "s3s", "sqlparser", "tokio-postgres", "arrow", "aws-config"]),
    // What plugin authors build and test with.
    ("loader-sdk", &["tokio", "wasmtime", "aws-config", "aws-sdk-s3", "arrow"]),
    ("loader-ipc", &["tokio", "wasmtime", "aws-config"]),
    ("loader-build", &["tokio", "wasmtime", "aws-config"]),
    ("loader-harness", &["aws-config", "aws-sdk-s3", "aws-sdk-redshiftdata"]),
    // One TLS stack: rustls with ring.
    ("loader", &["aws-lc-rs", "openssl", "native-tls"]),
    ("loader-lambda", &["aws-lc-rs", "openssl", "native-tls", "loader-local"]),
];

/// A crate and those of ours that alone may depend on it themselves.
const ONLY: &[(&str, &[&str])] = &[
    ("aws-sdk-s3", &["loader-aws"]),
    ("aws-sdk-redshiftdata", &["loader-aws"]),
    ("aws-sdk-sqs", &["loader-aws"]),
    ("aws-config", &["loader-aws"]),
    ("wasmtime", &["loader-sandbox"]),
    ("clap", &["loader", "loader-lambda", "loader-local"]),
    ("lambda_runtime", &["loader-lambda"]),
    ("opentelemetry-otlp", &["loader"]),
    ("tokio-postgres", &["loader-local"]),
];

/// Errors: every wall that does not hold.
pub(crate) fn check() -> Result<(), Failure> {
    let mut broken = Vec::new();
    for (package, forbidden) in NEVER {
        let tree = dependencies(&["--package", package])?;
        let found = forbidden.iter().filter(|name| tree.iter().any(|have| have == *name));
        broken.extend(found.map(|name| format!("{package} must not depend on {name}")));
    }
    for (dependency, allowed) in ONLY {
        let users = dependencies(&["--workspace", "--invert", dependency, "--depth", "1"])?;
        let ours = users.iter().filter(|user| user.starts_with("loader") || *user == "xtask");
        let strangers = ours.filter(|user| !allowed.contains(&user.as_str()));
        broken.extend(strangers.map(|user| {
            format!("{user} depends on {dependency}, which only {} may", allowed.join(" and "))
        }));
    }
    match broken.is_empty() {
        true => Ok(()),
        false => failure(format!("{}\nsee \"The walls\" in ARCHITECTURE.md", broken.join("\n"))),
    }
}

/// The names of the packages that `cargo tree` lists, tests and build scripts left out.
fn dependencies(arguments: &[&str]) -> Result<Vec<String>, Failure> {
    let mut tree = cargo(&["tree", "--edges", "normal", "--prefix", "none"]);
    let listed = output(tree.args(arguments))?;
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    Ok(listed.lines().map(name).collect())
}
