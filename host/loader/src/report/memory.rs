//! How much memory this process has taken at most, where the system says so.

/// The largest resident size so far, in bytes; `None` elsewhere than on Linux.
/// Source: proc_pid_status(5), `VmHWM`.
pub fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
