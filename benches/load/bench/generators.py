"""What sends the load, wrk and pace, and what a run of theirs cost each process."""

import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import time
from typing import Any, Self

from bench.arms import Arm, Binaries, Mock
from bench.process import PATIENCE, Child, Cpus, cpu_nanoseconds, pinned, resident_bytes, without_proxies

HERE = pathlib.Path(__file__).resolve().parent.parent
# An answer that takes longer counts as an error.
TIMEOUT = "10s"
Sample = dict[str, Any]


@dataclasses.dataclass
class Settings:
    """What a run was asked for."""

    rounds: int
    seconds: float
    warm_up: float
    smoke: bool = False


def empty_log(arm: Arm) -> None:
    """The access log is a file in memory: it is not to fill that."""
    if arm.log:
        os.truncate(arm.log, 0)


def costs(requests: float, proxy: int, bench: int) -> Sample:
    """Processor time in nanoseconds, as microseconds a request. The generator and the mock do the same work before
    every proxy, so what they cost tells how fast the machine was meanwhile."""
    count = max(requests, 1)
    return {
        "cpu_us": proxy / 1000 / count,
        "bench_cpu_us": bench / 1000 / count,
        "cpu_ratio": proxy / max(bench, 1),
    }


def wrk(arm: Arm, body: pathlib.Path, connections: int, seconds: float, cpus: Cpus, streamed: bool = False) -> Sample:
    """A closed loop: each connection asks again as soon as it has been answered. `generator` is its processor time."""
    path = arm.streamed_path if streamed else arm.path
    command = [
        *("wrk", "--threads", "1", "--connections", str(connections), "--duration", "1h", "--timeout", TIMEOUT),
        *("--script", str(HERE / "wrk.lua"), f"http://127.0.0.1:{arm.port}{path}"),
    ]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=without_proxies({"BENCH_BODY": str(body), "BENCH_KEY": arm.key}),
        preexec_fn=pinned(cpus),
        process_group=0,
    )
    assert process.stdout
    try:
        wait_until_caught(process.pid, signal.SIGINT)
        time.sleep(seconds)
        generator = interrupt(process)
        said = process.stdout.read().decode()
    finally:
        process.stdout.close()
        if process.returncode is None:
            process.kill()
            process.wait()
    lines = said.strip().splitlines()
    if process.returncode != 0 or not lines or not lines[-1].startswith("{"):
        raise SystemExit(f"wrk has failed before {arm.name}: {said}")
    found: Sample = json.loads(lines[-1])
    found["generator"] = generator
    return found


def wait_until_caught(pid: int, number: signal.Signals) -> None:
    """Until the process handles a signal, or has ended: one that came before would just kill it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        caught = re.search(r"SigCgt:\s+([0-9a-f]+)", status)
        if not caught or int(caught.group(1), 16) >> (number - 1) & 1:
            return
        time.sleep(0.002)
    raise SystemExit(f"wrk does not begin in {PATIENCE:.0f} s")


def interrupt(process: subprocess.Popen[bytes]) -> int:
    """Ends wrk, which knows whole seconds only: at this signal it tells what it has counted. Returns its processor time
    in nanoseconds."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        # Again and again: one that comes before it sleeps does not wake it.
        process.send_signal(signal.SIGINT)
        for _ in range(200):
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                return int((usage.ru_utime + usage.ru_stime) * 1e9)
            time.sleep(0.005)
    raise SystemExit(f"wrk has not ended in {PATIENCE:.0f} s")


def closed_loop(
    arm: Arm,
    mock: Mock,
    body: pathlib.Path,
    connections: int,
    settings: Settings,
    cpus: Cpus,
    streamed: bool = False,
) -> Sample:
    """A warm-up that is not counted, and a measured run."""
    empty_log(arm)
    wrk(arm, body, connections, settings.warm_up, cpus, streamed)
    before = cpu_nanoseconds(arm.pids), cpu_nanoseconds(mock.pids)
    found = wrk(arm, body, connections, settings.seconds, cpus, streamed)
    proxy, mocks = cpu_nanoseconds(arm.pids) - before[0], cpu_nanoseconds(mock.pids) - before[1]
    empty_log(arm)
    seconds = found["microseconds"] / 1e6
    return {
        "connections": connections,
        "requests": found["requests"],
        # No answer at all in the measured time says nothing of how long one takes. That of a smoke test is very short.
        "errors": found["errors"] or int(found["requests"] == 0 and not settings.smoke),
        "seconds": seconds,
        "rate": found["requests"] / seconds,
        **costs(found["requests"], proxy, mocks + found["generator"]),
        "rss": resident_bytes(arm.pids),
        "latency_us": {name: found[name] for name in ("mean", "p50", "p90", "p99", "max")},
    }


class Pace:
    """A run of pace: in its block it warms up; `measure` returns when it has ended."""

    def __init__(
        self, binaries: Binaries, arm: Arm, body: pathlib.Path, cpus: Cpus, *arguments: str, streamed: bool = False
    ):
        """`arguments` are pace's own, but for where to send what."""
        path = arm.streamed_path if streamed else arm.path
        where = ("--to", f"127.0.0.1:{arm.port}", "--path", path, "--key", arm.key, "--body", str(body))
        self.arm = arm
        errors = body.parent / "pace.log"
        errors.unlink(missing_ok=True)
        self.child = Child([str(binaries.pace), *arguments, *where], cpus, pipe=True, stderr=errors)

    def __enter__(self) -> Self:
        empty_log(self.arm)
        return self

    def __exit__(self, *_: object) -> None:
        self.child.end()
        empty_log(self.arm)

    def wait_for(self, word: str) -> None:
        if self._line() != word:
            raise self.child.fail(f"it has not said {word}")

    def found(self) -> Sample:
        found: Sample = json.loads(self._line())
        return found

    def _line(self) -> str:
        assert self.child.process.stdout
        line = self.child.process.stdout.readline().decode().strip()
        if not line:
            raise self.child.fail("it has ended")
        return line

    def measure(self, mock: Mock) -> tuple[Sample, int, int]:
        """What it found, and the processor time of the proxy, and of the generator and the mock."""
        bench = [*mock.pids, *self.child.pids()]
        self.wait_for("measuring")
        before = cpu_nanoseconds(self.arm.pids), cpu_nanoseconds(bench)
        self.wait_for("measured")
        proxy, others = cpu_nanoseconds(self.arm.pids) - before[0], cpu_nanoseconds(bench) - before[1]
        return self.found(), proxy, others
