"""The arms: what stands between the load generator and the mock vendor. All of them live through a suite."""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from bench.body import ASKED_MODEL
from bench.process import PATIENCE, Child, Cpus, free_port, without_proxies

HERE = pathlib.Path(__file__).resolve().parent.parent
MODELS = ("gpt-4o", "gpt-4o-mini")
NGINX_MODULES = pathlib.Path("/usr/lib/nginx/modules")
CLIENTS_PATH = "/v1/chat/completions"
# As long as a key of evenkeel's, so that all arms are sent requests of one length.
ANY_KEY = "ek_" + "0" * 43

EVENKEEL = """\
listeners: [{{ address: '127.0.0.1:{port}' }}]
admin: {{ address: '127.0.0.1:0' }}
server: {{ threads: {threads}, grace_period_seconds: 0 }}
state_dir: {state}
{access_log}
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    endpoints:
      production:
        - {{ name: Primary, url: 'http://{vendor}/v1', credential: the-vendors-credential }}
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_round_robin
          production: [{{ model: {models[0]} }}, {{ model: {models[1]} }}]
          suspend_duration: 30s
"""


@dataclasses.dataclass
class Pinning:
    """Where what runs: a proxy of one thread has a core of its own, as far as there are cores."""

    one: Cpus
    two: Cpus
    generator: Cpus
    mock: Cpus

    @classmethod
    def of_this_machine(cls) -> "Pinning":
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) == 1:
            only = frozenset(cpus)
            return cls(only, only, only, only)
        if len(cpus) < 4:
            return cls(frozenset(cpus[:1]), frozenset(cpus[:2]), frozenset(cpus[1:2]), frozenset(cpus[1:2]))
        return cls(frozenset(cpus[:1]), frozenset(cpus[:2]), frozenset(cpus[2:3]), frozenset(cpus[3:]))

    @classmethod
    def everything_on_two(cls) -> "Pinning":
        two = frozenset(sorted(os.sched_getaffinity(0))[:2])
        return cls(two, two, two, two)


@dataclasses.dataclass
class Binaries:
    evenkeel: pathlib.Path
    pingora_bare: pathlib.Path
    pace: pathlib.Path
    # Further binaries of evenkeel, by the names of their arms.
    also: dict[str, pathlib.Path]


@dataclasses.dataclass
class Arm:
    name: str
    port: int
    path: str
    streamed_path: str
    key: str
    # Of the proxy, with its children; none for no proxy.
    pids: list[int] = dataclasses.field(default_factory=list)
    log: pathlib.Path | None = None
    rewrites: bool = False

    def ask(self, body: bytes, streamed: bool = False) -> tuple[int, str]:
        path = self.streamed_path if streamed else self.path
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            body,
            {"content-type": "application/json", "authorization": f"Bearer {self.key}"},
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def check(self, body: bytes, streamed: bool = False) -> None:
        """It does what it is measured for: a figure of an arm that fails would be a fast one."""
        seen = set()
        for _ in MODELS:
            status, text = self.ask(body, streamed)
            if status != 200:
                raise SystemExit(f"{self.name} answers {status}, not 200, to a body of {len(body)} bytes: {text[:500]}")
            event = text.split("\n", 1)[0].removeprefix("data: ") if streamed else text
            seen.add(json.loads(event)["model"])
        expected = set(MODELS) if self.rewrites else {ASKED_MODEL}
        if seen != expected:
            raise SystemExit(f"{self.name} makes the model {sorted(seen)} of {ASKED_MODEL}, not {sorted(expected)}")


@dataclasses.dataclass
class Mock:
    port: int
    pids: list[int]


@dataclasses.dataclass
class Plan:
    """How an arm is started; `arm` does not know its processes yet."""

    arm: Arm
    command: list[str]
    threads: int
    log: pathlib.Path


class Stand:
    """A mock vendor and the arms before it, until the stack is closed."""

    def __init__(
        self, stack: contextlib.ExitStack, binaries: Binaries, directory: pathlib.Path, pinning: Pinning
    ) -> None:
        self.stack, self.binaries, self.directory, self.pinning = stack, binaries, directory, pinning
        self.mock: Mock

    def start_mock(self, *options: str) -> None:
        log = self.directory / "mock.log"
        log.unlink(missing_ok=True)
        command = [str(self.binaries.evenkeel), "mock-vendor", "--listen", "127.0.0.1:0", *options]
        child = self.stack.enter_context(Child(command, self.pinning.mock, stderr=log))
        self.mock = Mock(int(child.find(r"http://127\.0\.0\.1:(\d+)")), child.pids())

    def start(self, name: str) -> Arm:
        """Starts the arm and returns when it listens."""
        if name == "direct":
            return Arm(name, self.mock.port, CLIENTS_PATH, CLIENTS_PATH, ANY_KEY)
        plan = self._plan(name)
        child = self._launch(plan, self.stack)
        child.accepts(plan.arm.port)
        plan.arm.pids = child.pids()
        return plan.arm

    def start_unawaited(self, name: str, stack: contextlib.ExitStack) -> tuple[Arm, float]:
        """Starts the arm, and tells when."""
        plan = self._plan(name)
        begun = time.monotonic()
        self._launch(plan, stack)
        return plan.arm, begun

    def _launch(self, plan: Plan, stack: contextlib.ExitStack) -> Child:
        cpus = self.pinning.one if plan.threads == 1 else self.pinning.two
        return stack.enter_context(Child(plan.command, cpus, stdout=plan.arm.log, stderr=plan.log))

    def _plan(self, name: str) -> Plan:
        evenkeel = self.binaries.evenkeel
        known: dict[str, Callable[[], Plan]] = {
            "nginx": lambda: self._nginx(name, lua=False),
            "nginx-lua": lambda: self._nginx(name, lua=True),
            "pingora-bare": lambda: self._pingora(name, 1),
            "pingora-bare-2": lambda: self._pingora(name, 2),
            "evenkeel-1": lambda: self._evenkeel(name, evenkeel, 1),
            "evenkeel-2": lambda: self._evenkeel(name, evenkeel, 2),
            "evenkeel-1-quiet": lambda: self._evenkeel(name, evenkeel, 1, quiet=True),
        }
        if name in self.binaries.also:
            return self._evenkeel(name, self.binaries.also[name], 1)
        return known[name]()

    def _room(self, name: str) -> pathlib.Path:
        room = self.directory / name
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir()
        return room

    def _nginx(self, name: str, lua: bool) -> Plan:
        room, port = self._room(name), free_port()
        modules = "".join(f"load_module {NGINX_MODULES}/{it}.so; " for it in ("ndk_http_module", "ngx_http_lua_module"))
        filled = {
            "DIRECTORY": str(room),
            # The workers are to reach the directory.
            "MODULES": ("user root; " if os.geteuid() == 0 else "") + (modules if lua else ""),
            "LUA": f'lua_package_path "{HERE}/nginx/?.lua;;";' if lua else "",
            "VENDOR": f"127.0.0.1:{self.mock.port}",
            "PORT": str(port),
            "REWRITE": 'access_by_lua_block { require("rewrite")() }' if lua else "",
        }
        settings = (HERE / "nginx/nginx.conf").read_text().split("\n\n", 1)[1]
        for placeholder, value in filled.items():
            settings = settings.replace(placeholder, value)
        file = room / "nginx.conf"
        file.write_text(settings)
        log = room / "error.log"
        command = ["nginx", "-p", str(room), "-e", str(log), "-c", str(file)]
        arm = Arm(name, port, CLIENTS_PATH, f"/streamed{CLIENTS_PATH}", ANY_KEY, rewrites=lua)
        return Plan(arm, command, 1, log)

    def _pingora(self, name: str, threads: int) -> Plan:
        room, port = self._room(name), free_port()
        command = [str(self.binaries.pingora_bare), f"127.0.0.1:{port}", f"127.0.0.1:{self.mock.port}", str(threads)]
        return Plan(Arm(name, port, CLIENTS_PATH, CLIENTS_PATH, ANY_KEY), command, threads, room / "log")

    def _evenkeel(self, name: str, binary: pathlib.Path, threads: int, quiet: bool = False) -> Plan:
        room, port = self._room(name), free_port()
        file = room / "evenkeel.yaml"
        settings = {
            "port": port,
            "threads": threads,
            "state": room / "state",
            "vendor": f"127.0.0.1:{self.mock.port}",
            "access_log": "access_log: { format: 'off' }" if quiet else "",
            "models": MODELS,
        }
        file.write_text(EVENKEEL.format(**settings))
        command = [str(binary), "keys", "create", "-c", str(file), "--name", "bench", "--environment", "production"]
        made = subprocess.run(
            [*command, "--format", "json"], capture_output=True, text=True, env=without_proxies(), check=False
        )
        if made.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: {made.stderr}")
        key, path = json.loads(made.stdout)["key"], "/smartchat/chat/completions"
        arm = Arm(name, port, path, path, key, log=room / "access.log", rewrites=True)
        return Plan(arm, [str(binary), "run", "-c", str(file)], threads, room / "log")
