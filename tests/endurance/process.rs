//! What the system tells of a process.

use std::fs;

/// The most memory that a process has had resident, in bytes.
pub fn peak_memory(pid: u32) -> usize {
    status(pid, "VmHWM:")
}

/// The memory that a process has resident, in bytes.
pub fn memory(pid: u32) -> usize {
    status(pid, "VmRSS:")
}

/// How many file descriptors a process has open.
pub fn open_files(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

fn status(pid: u32, name: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kibibytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes * 1024
}
