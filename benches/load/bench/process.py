"""Processes of the benchmark: pinned, looked at through /proc, and ended with the block that they stand in."""

import ctypes
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Self

PATIENCE = 20.0
Cpus = frozenset[int]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def cpu_nanoseconds(pids: Iterable[int]) -> int:
    """The processor time of whole processes, ended threads included: the clock that clock_getcpuclockid(3) names, which
    counts nanoseconds where /proc/PID/stat has ticks of 10 ms."""
    return sum(time.clock_gettime_ns((~pid << 3) | 2) for pid in pids)


def resident_bytes(pids: Iterable[int], kind: str = "VmRSS") -> int:
    """What is in memory; of the kind `RssAnon`, without the pages of files, such as the program's own."""
    total = 0
    for pid in pids:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        found = re.search(rf"{kind}:\s+(\d+) kB", status)
        total += int(found.group(1)) * 1024 if found else 0
    return total


def without_proxies(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment, but for a proxy of the machine: it has no business between processes on it."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return kept | dict(extra or {})


LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def pinned(cpus: Cpus) -> Callable[[], None]:
    """What a process does before it becomes a program: it keeps to these cores, and is ended with the runner even if
    that is killed."""

    def prepare() -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        os.sched_setaffinity(0, cpus)

    return prepare


class Child:
    """A process that runs until its block ends."""

    def __init__(
        self,
        command: list[str],
        cpus: Cpus,
        stdout: pathlib.Path | None = None,
        stderr: pathlib.Path | None = None,
        pipe: bool = False,
    ) -> None:
        self.command, self.stderr = command, stderr
        with open(stdout or os.devnull, "ab") as out, open(stderr or os.devnull, "ab") as err:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else out,
                stderr=err,
                env=without_proxies(),
                preexec_fn=pinned(cpus),
                # Ctrl-C is for the runner, which ends its processes itself.
                process_group=0,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def pids(self) -> list[int]:
        """Its own and those of the processes that it has started."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def end(self, how: signal.Signals = signal.SIGINT) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def said(self) -> str:
        return self.stderr.read_text(errors="replace") if self.stderr and self.stderr.exists() else ""

    def fail(self, what: str) -> SystemExit:
        return SystemExit(f"{what}: {' '.join(self.command)}\n{self.said()}")

    def find(self, pattern: str) -> str:
        """The first group in what it has said on standard error."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            if found := re.search(pattern, self.said()):
                return found.group(1)
            if ended:
                raise self.fail("it has ended")
            time.sleep(0.005)
        raise self.fail(f"it has not said {pattern} in {PATIENCE:.0f} s")

    def accepts(self, port: int) -> None:
        """Returns when somebody listens there."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.005)
        raise self.fail(f"it does not listen on port {port}")
