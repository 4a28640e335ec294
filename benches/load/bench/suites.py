"""The suites: which arms meet which load, in which order."""

import contextlib
import pathlib
import time
from collections.abc import Callable, Iterator

from bench import body
from bench.arms import Arm, Binaries, Pinning, Stand
from bench.generators import Pace, Sample, Settings, closed_loop, costs
from bench.process import resident_bytes

CHUNKS_AT_ONCE = 20
CHUNKS_PACED, CHUNK_INTERVAL = 64, "20ms"
# A role before them, a reason to finish and `[DONE]` after them.
EVENTS_BESIDES = 3
RATE = 1000
STREAMS = 500
PROFILE_CONNECTIONS = (100, 500, 1000)
PROFILE_MOCK = ("--latency", "10ms", "--answer-bytes", "10240")
# Enough to keep a proxy busy, and few enough for the bodies to fit into the machine's caches, as far as there are any.
CONNECTIONS = {"300 B": 64, "10 KB": 64, "100 KB": 64, "1 MiB": 16, "5 MiB": 8}
BODIES = ("10 KB", "100 KB", "1 MiB", "5 MiB")

# The arms of each suite, unless others are asked for.
ARMS: dict[str, tuple[str, ...]] = {
    "small": ("direct", "nginx", "nginx-lua", "pingora-bare", "evenkeel-1", "evenkeel-2", "evenkeel-1-quiet"),
    "bodies": ("direct", "nginx", "nginx-lua", "pingora-bare", "evenkeel-1"),
    "sse": ("direct", "nginx", "pingora-bare", "evenkeel-1"),
    "rate": ("direct", "nginx", "pingora-bare", "evenkeel-1"),
    "streams": ("direct", "nginx", "pingora-bare", "evenkeel-1"),
    "profile": ("direct", "pingora-bare-2", "evenkeel-2"),
    "memory": ("pingora-bare", "evenkeel-1"),
    "start": ("nginx", "pingora-bare", "evenkeel-1"),
}


class Run:
    """What all suites need, and where their samples go."""

    def __init__(
        self,
        binaries: Binaries,
        directory: pathlib.Path,
        settings: Settings,
        chosen: list[str] | None,
        keep: Callable[[Sample], None],
    ) -> None:
        self.binaries, self.directory, self.settings = binaries, directory, settings
        self.chosen, self.keep = chosen, keep
        self.pinning = Pinning.of_this_machine()

    def names(self, suite: str) -> list[str]:
        """The suite's arms, or those of them that were chosen; further binaries always."""
        names = list(self.chosen) if self.chosen is not None else list(ARMS[suite])
        if suite in ("memory", "start"):
            names = [name for name in names if name in ARMS[suite]]
        if suite == "profile":
            return [name for name in names if name in ARMS[suite]]
        return names + [name for name in self.binaries.also if name not in names]

    @contextlib.contextmanager
    def stand(self, *mock: str, pinning: Pinning | None = None) -> Iterator[Stand]:
        with contextlib.ExitStack() as stack:
            stand = Stand(stack, self.binaries, self.directory, pinning or self.pinning)
            stand.start_mock(*mock)
            yield stand

    def turns(self, arms: list[Arm]) -> Iterator[tuple[int, Arm]]:
        """Each arm in each round, another one first in every round: A B C, B C A, C A B."""
        for number in range(self.settings.rounds if arms else 0):
            for place in range(len(arms)):
                yield number, arms[(place + number) % len(arms)]

    def note(self, suite: str, scenario: str, arm: str, number: int, sample: Sample) -> None:
        self.keep({"suite": suite, "scenario": scenario, "arm": arm, "round": number, "at": time.time(), **sample})


def closed(
    run: Run,
    stand: Stand,
    suite: str,
    scenario: str,
    arms: list[Arm],
    size: int,
    connections: int,
    streamed: bool = False,
) -> None:
    file = body.write(run.directory, size, streamed)
    for arm in arms:
        arm.check(file.read_bytes(), streamed)
    if run.settings.smoke:
        # The largest bodies are to be answered within its short time.
        connections = min(connections, 2)
    for number, arm in run.turns(arms):
        cpus = stand.pinning.generator
        sample = closed_loop(arm, stand.mock, file, connections, run.settings, cpus, streamed)
        run.note(suite, scenario, arm.name, number, sample)


def small(run: Run) -> None:
    with run.stand() as stand:
        arms = [stand.start(name) for name in run.names("small")]
        closed(run, stand, "small", "300 B", arms, body.SIZES["300 B"], CONNECTIONS["300 B"])


def bodies(run: Run) -> None:
    with run.stand() as stand:
        arms = [stand.start(name) for name in run.names("bodies")]
        for scenario in BODIES:
            closed(run, stand, "bodies", scenario, arms, body.SIZES[scenario], CONNECTIONS[scenario])


def sse(run: Run) -> None:
    with run.stand("--stream-chunks", str(CHUNKS_AT_ONCE)) as stand:
        arms = [stand.start(name) for name in run.names("sse")]
        scenario = f"{CHUNKS_AT_ONCE} chunks at once"
        closed(run, stand, "sse", scenario, arms, body.SIZES["300 B"], CONNECTIONS["300 B"], streamed=True)


def rate(run: Run) -> None:
    times = ("--warm-up", str(run.settings.warm_up), "--seconds", str(run.settings.seconds))
    with run.stand() as stand:
        arms = [stand.start(name) for name in run.names("rate")]
        file = body.write(run.directory, body.SIZES["300 B"])
        for arm in arms:
            arm.check(file.read_bytes())
        for number, arm in run.turns(arms):
            with Pace(run.binaries, arm, file, stand.pinning.generator, "rate", "--rate", str(RATE), *times) as pace:
                found, proxy, bench = pace.measure(stand.mock)
            sample = {**costs(found["requests"], proxy, bench), "rss": resident_bytes(arm.pids)}
            late = {"late_us": found.pop("late"), "latency_us": found.pop("latency")}
            run.note("rate", f"{RATE} a second", arm.name, number, {**found, **late, **sample})


def paced_mock(run: Run) -> tuple[str, ...]:
    interval = "2ms" if run.settings.smoke else CHUNK_INTERVAL
    return ("--stream-chunks", str(CHUNKS_PACED), "--chunk-interval", interval)


def paced_streams(run: Run) -> tuple[str, ...]:
    count = 20 if run.settings.smoke else STREAMS
    events = CHUNKS_PACED + EVENTS_BESIDES
    # About as long as one stream takes.
    over = "0.2" if run.settings.smoke else "1.4"
    times = ("--warm-up", str(run.settings.warm_up), "--seconds", str(run.settings.seconds))
    return ("streams", "--streams", str(count), "--events", str(events), "--over", over, *times)


def streams(run: Run) -> None:
    with run.stand(*paced_mock(run)) as stand:
        arms = [stand.start(name) for name in run.names("streams")]
        file = body.write(run.directory, body.SIZES["300 B"], streamed=True)
        for arm in arms:
            arm.check(file.read_bytes(), streamed=True)
        for number, arm in run.turns(arms):
            arguments = paced_streams(run)
            with Pace(run.binaries, arm, file, stand.pinning.generator, *arguments, streamed=True) as pace:
                found, proxy, bench = pace.measure(stand.mock)
                rss = resident_bytes(arm.pids)
            sample = {**costs(found["events"], proxy, bench), "rss": rss}
            times = {"first_us": found.pop("first"), "gap_us": found.pop("gap")}
            run.note("streams", f"{STREAMS} streams", arm.name, number, {**found, **times, **sample})


def profile(run: Run) -> None:
    """Everything shares two cores, as in the published measurement."""
    with run.stand(*PROFILE_MOCK, pinning=Pinning.everything_on_two()) as stand:
        arms = [stand.start(name) for name in run.names("profile")]
        for connections in PROFILE_CONNECTIONS:
            closed(run, stand, "profile", f"{connections} connections", arms, body.SIZES["1 KiB"], connections)
