"""What the figures are to be, and whether they are."""

import dataclasses
from collections.abc import Callable

from bench.figures import MIB, Rounds, cpu, latency, median, rate, shown, steadied, table
from bench.generators import Sample

EVENKEEL, BARE, LUA = "evenkeel-1", "pingora-bare", "nginx-lua"
# What the vendor of the source system has published, in requests a second.
PROFILE = {"100 connections": 3760, "500 connections": 3930, "1000 connections": 4137}
# The profile's backend has 10 ms of its own.
PROFILE_MEAN_US = 15_000


@dataclasses.dataclass
class Aim:
    figure: str
    values: list[float]
    limit: float
    at_least: bool = False
    digits: int = 3

    def row(self) -> list[str]:
        middle = median(self.values)
        met = middle >= self.limit if self.at_least else middle <= self.limit
        sign = "≥" if self.at_least else "≤"
        limit = f"{self.limit:,.2f}" if self.limit < 10 else f"{self.limit:,.0f}"
        return [self.figure, f"{sign} {limit}", shown(self.values, self.digits), "yes" if met else "**no**"]


def processor_time(samples: list[Sample]) -> list[Aim]:
    found = []
    for suite, scenario, other, limit in (
        ("small", "300 B", BARE, 1.05),
        ("bodies", "10 KB", BARE, 1.10),
        ("bodies", "100 KB", BARE, 1.12),
        ("bodies", "1 MiB", BARE, 1.25),
        ("bodies", "5 MiB", BARE, 1.25),
        ("small", "300 B", LUA, 1.5),
        ("bodies", "10 KB", LUA, 0.5),
        ("bodies", "1 MiB", LUA, 0.15),
        ("sse", "20 chunks at once", BARE, 1.05),
    ):
        rounds = Rounds(samples, suite, scenario)
        for how, value in (("", cpu), (", steadied", steadied)):
            name = f"{scenario}: CPU / {other}{how}"
            found.append(Aim(name, rounds.ratios(EVENKEEL, other, value), limit))
    return found


def small_and_rate(samples: list[Sample]) -> list[Aim]:
    small, paced = Rounds(samples, "small", "300 B"), Rounds(samples, "rate")
    return [
        Aim("300 B: throughput / pingora-bare", small.ratios(EVENKEEL, BARE, rate), 0.95, at_least=True),
        Aim("1,000 requests/s: p50 − pingora-bare, µs", paced.differences(EVENKEEL, BARE, latency("p50")), 15),
        Aim("1,000 requests/s: p99 − pingora-bare, µs", paced.differences(EVENKEEL, BARE, latency("p99")), 100),
    ]


def profile(samples: list[Sample]) -> list[Aim]:
    found = []
    for scenario, published in PROFILE.items():
        rates = Rounds(samples, "profile", scenario).values("evenkeel-2", rate)
        found.append(Aim(f"profile, {scenario}: requests/s", rates, 2 * published, at_least=True, digits=4))
    means = Rounds(samples, "profile", "100 connections").values("evenkeel-2", latency("mean"))
    return [*found, Aim("profile, 100 connections: mean, µs", means, PROFILE_MEAN_US, digits=5)]


def memory_and_start(samples: list[Sample]) -> list[Aim]:
    def sizes(scenario: str) -> list[float]:
        return [it["rss"] / MIB for it in Rounds(samples, "memory", scenario).all if it["arm"] == EVENKEEL]

    growing = sizes("after small requests")
    growth = [growing[-1] - growing[0]] if len(growing) > 1 else []
    starts = [1000 * it for it in Rounds(samples, "start").values(EVENKEEL, lambda it: it["seconds"])]
    return [
        Aim("memory idle, MiB", sizes("idle"), 20),
        # Pages that the allocator takes and gives back as it likes.
        Aim("memory after 10⁶ small requests − after 10⁵, MiB", growth, 1),
        Aim("memory with 500 streams, MiB", sizes("with streams open"), 60),
        Aim("start to first answer, ms", starts, 100),
    ]


PARTS: tuple[Callable[[list[Sample]], list[Aim]], ...] = (processor_time, small_and_rate, profile, memory_and_start)


def aims(samples: list[Sample]) -> str:
    """A row for each that this run has figures for; empty if there is none."""
    rows = [aim.row() for part in PARTS for aim in part(samples) if aim.values]
    return table(["figure", "aim", "median (quartiles)", "met"], rows) + "\n" if rows else ""
