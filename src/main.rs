//! The binary: reads the command line and calls one command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

// Fewer instructions and page faults on big bodies than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    evenkeel::cli::main()
}
