//! What the figures were measured on, and when. Nothing here names the machine or its owner.

use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::run::output;

/// A machine, as far as it matters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) memory_gib: f64,
    /// The operating system's name and version.
    pub(super) kernel: String,
}

impl Machine {
    pub(super) fn here() -> Result<Machine, Failure> {
        Ok(Machine {
            processor: processor(&read("/proc/cpuinfo")),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_gib(&read("/proc/meminfo")),
            kernel: kernel(&output(Command::new("uname").arg("-sr"))?),
        })
    }

    pub(super) fn in_words(&self) -> String {
        let Machine { processor, cores, memory_gib, kernel } = self;
        format!("{processor}, {cores} cores, {memory_gib:.0} GiB of memory, {kernel}")
    }
}

/// The day, such as 2026-11-30.
pub(super) fn today() -> Result<String, Failure> {
    Ok(output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?.trim().to_owned())
}

/// Only Linux has such files; elsewhere their text is empty.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn processor(cpuinfo: &str) -> String {
    let found = value(cpuinfo, "model name").filter(|name| !name.is_empty());
    found.unwrap_or("a processor without a name").to_owned()
}

/// What `uname -sr` says, without what the machine's owner added to it (`6.12.0-mine`).
fn kernel(said: &str) -> String {
    said.trim().split('-').next().unwrap_or_default().to_owned()
}

fn memory_gib(meminfo: &str) -> f64 {
    let kib = value(meminfo, "MemTotal").and_then(|value| value.split(' ').next());
    kib.and_then(|kib| kib.parse::<f64>().ok()).map_or(0.0, |kib| kib / f64::from(1 << 20))
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_known_by_what_linux_says() {
        let cpuinfo = "processor\t: 0\nmodel name\t: A Processor @ 2.5GHz\n";
        assert_eq!(processor(cpuinfo), "A Processor @ 2.5GHz");
        assert_eq!(kernel("Linux 6.12.9-cloud-amd64\n"), "Linux 6.12.9");
        assert_eq!(processor(""), "a processor without a name");
        assert_eq!(memory_gib("MemTotal:       25165824 kB\nMemFree: 1 kB\n"), 24.0);
    }
}
