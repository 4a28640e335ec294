"""The machine: what is installed on it for the benchmark, and its description."""

import datetime
import os
import pathlib
import re
import shutil
import subprocess
import time

from bench.arms import NGINX_MODULES, Binaries
from bench.process import without_proxies

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
# Debian's packages, and what shows that they are there.
PACKAGES = {
    "wrk": lambda: shutil.which("wrk"),
    "nginx": lambda: shutil.which("nginx"),
    "libnginx-mod-http-lua": lambda: (NGINX_MODULES / "ngx_http_lua_module.so").exists(),
    "lua-cjson": lambda: any(pathlib.Path("/usr/lib").glob("*/lua/5.1/cjson.so")),
}


def install_packages() -> None:
    """What is not there yet of Debian's packages; as root, or by sudo without a password."""
    missing = [name for name, there in PACKAGES.items() if not there()]
    if not missing:
        return
    rooted = [] if os.geteuid() == 0 else ["sudo", "-n"]
    # nginx' service is not wanted: nothing starts in the runlevel of a single user.
    quietly = [*rooted, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get"]
    print(f"installing {', '.join(missing)}", flush=True)
    for command in (["update", "-q"], ["install", "-qy", "--no-install-recommends", *missing]):
        done = subprocess.run([*quietly, *command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{', '.join(missing)} cannot be installed; do it by hand\n{done.stdout}{done.stderr}")


def build(built: pathlib.Path | None, evenkeel: pathlib.Path | None, also: dict[str, pathlib.Path]) -> Binaries:
    """The binaries, built for release unless they lie in a directory like target/release already."""
    if built is None:
        command = ["cargo", "build", "--locked", "--release", "--bin", "evenkeel"]
        subprocess.run([*command, "--example", "pingora-bare", "--example", "pace"], cwd=ROOT, check=True)
        built = ROOT / "target/release"
    examples = built / "examples"
    binaries = Binaries(evenkeel or built / "evenkeel", examples / "pingora-bare", examples / "pace", also)
    for file in (binaries.evenkeel, binaries.pingora_bare, binaries.pace, *also.values()):
        if not os.access(file, os.X_OK):
            raise SystemExit(f"{file} is not there, or no program")
    return binaries


def said(*command: str) -> str:
    """The first line that a command has to say, on either output."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=without_proxies(), check=False, cwd=ROOT)
    except OSError:
        return "unknown"
    return (done.stdout + done.stderr).strip().split("\n", 1)[0] or "unknown"


def read(path: str, otherwise: str = "") -> str:
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return otherwise


def processor() -> str:
    found = re.search(r"model name\s*:\s*(.+)", read("/proc/cpuinfo"))
    return " ".join(found.group(1).split()) if found else os.uname().machine


def name() -> str:
    """Of the day and the machine, as a directory is called."""
    cores = len(os.sched_getaffinity(0))
    text = re.sub(r"\((r|tm)\)|\bcpu\b|\bprocessor\b|@.*|\d+-core", " ", processor().lower())
    slug = "-".join(re.findall(r"[a-z0-9]+", text))
    return f"{datetime.date.today().isoformat()}-{cores}-core-{slug}"


def cpu_times() -> tuple[int, int]:
    """All ticks since the start of the machine, and those that its host has given to others."""
    fields = [int(field) for field in read("/proc/stat").split("\n", 1)[0].split()[1:9]]
    return sum(fields), fields[7]


def busy(seconds: float = 1.0) -> list[str]:
    """What else uses processor time just now."""

    def ticks() -> dict[str, int]:
        found = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                stat = read(f"{entry}/stat")
                if stat:
                    command, fields = stat.rsplit(")", 1)
                    found[f"{command.split('(', 1)[1]} ({entry.name})"] = sum(map(int, fields.split()[11:13]))
        return found

    before = ticks()
    time.sleep(seconds)
    hertz = os.sysconf("SC_CLK_TCK") * seconds
    shares = {process: (now - before.get(process, now)) / hertz for process, now in ticks().items()}
    return [f"{process} {share:.0%}" for process, share in sorted(shares.items()) if share > 0.01]


def describe(binaries: Binaries, arguments: list[str], busy_before: list[str]) -> str:
    """machine.md, but for what is known at the end."""
    memory = re.search(r"MemTotal:\s+(\d+)", read("/proc/meminfo"))
    packages = ", ".join(said("dpkg-query", "-W", it).replace("\t", " ") for it in (*PACKAGES, "libluajit2-5.1-2"))
    changed = said("git", "status", "--porcelain", "--untracked-files=no")
    commit = said("git", "rev-parse", "HEAD") + ("" if changed == "unknown" else ", with changes that are not in it")
    rows = {
        "begun": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": f"`benches/load/run {' '.join(arguments)}`".replace(" `", "`"),
        "commit": commit,
        "processor": processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "virtual": "yes" if "hypervisor" in read("/proc/cpuinfo") else "no",
        "governor": read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "none to be seen"),
        "memory": f"{int(memory.group(1)) / 2**20:.1f} GiB" if memory else "unknown",
        "system": f"{os.uname().sysname} {os.uname().release}",
        "distribution": next(iter(re.findall(r'PRETTY_NAME="(.*)"', read("/etc/os-release"))), "unknown"),
        "load average before": " ".join(read("/proc/loadavg").split()[:3]),
        "busy before": ", ".join(busy_before) or "nothing above 1 % of a core",
        "evenkeel": said(str(binaries.evenkeel), "--version"),
        "further binaries": ", ".join(f"{it} = {path}" for it, path in binaries.also.items()) or "none",
        "rustc": said("rustc", "--version"),
        "packages": packages,
        "python": said("python3", "--version"),
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    return f"# The machine\n\n| | |\n|---|---|\n{table}\n"
