"""summary.md: the figures of a run, and what they say."""

import math
from collections.abc import Callable

from bench.aims import aims
from bench.figures import MIB, Rounds, cpu, latency, median, number, rate, scenarios, shown, steadied, table
from bench.generators import Sample

BARE, LUA, DIRECT = "pingora-bare", "nginx-lua", "direct"
# The profile that the vendor of the source system has published: requests a second and mean milliseconds.
PUBLISHED = {"100 connections": (3760, 26), "500 connections": (3930, 127), "1000 connections": (4137, 241)}


def proxies(rounds: Rounds) -> list[str]:
    return [arm for arm in rounds.arms if arm != DIRECT]


def against(rounds: Rounds, arm: str, other: str, digits: int = 3) -> list[str]:
    """Processor time against another arm's: as it is, and steadied."""
    if arm in (other, DIRECT) or other not in rounds.arms:
        return ["–", "–"]
    return [shown(rounds.ratios(arm, other, value), digits) for value in (cpu, steadied)]


def closed(samples: list[Sample], suite: str, scenario: str) -> str:
    rounds = Rounds(samples, suite, scenario)
    others = [it for it in (BARE, LUA) if it in rounds.arms]
    columns = ["arm", "requests/s", "p50 µs", "p99 µs", "CPU µs/request", "generator + mock", "RSS MiB", "errors"]
    columns += [f"CPU / {other}{how}" for other in others for how in ("", ", steadied")]
    rows = []
    for arm in rounds.arms:
        row = [arm, shown(rounds.values(arm, rate), 4)]
        row += [shown(rounds.values(arm, latency(share))) for share in ("p50", "p99")]
        row += [
            "–" if arm == DIRECT else shown(rounds.values(arm, cpu)),
            shown(rounds.values(arm, lambda it: it["bench_cpu_us"])),
            "–" if arm == DIRECT else number(median(rounds.values(arm, lambda it: it["rss"] / MIB))),
            str(rounds.errors(arm)),
        ]
        rows.append(row + [text for other in others for text in against(rounds, arm, other)])
    count = next((it["connections"] for it in rounds.all), 0)
    return f"### {scenario}, {count} connections\n\n{table(columns, rows)}\n"


def all_closed(samples: list[Sample], suite: str) -> str:
    return "\n".join(closed(samples, suite, scenario) for scenario in scenarios(samples, suite))


def timed(samples: list[Sample], suite: str, of: str, shares: tuple[str, ...], unit: str) -> str:
    """What an arm adds to times, against none and against the barest proxy."""
    rounds = Rounds(samples, suite)
    others = [it for it in (DIRECT, BARE) if it in rounds.arms]
    columns = ["arm", *shares, *[f"{share} − {other}" for other in others for share in shares]]
    columns += [f"CPU µs/{unit}", f"CPU / {BARE}", "steadied", "RSS MiB", "errors"]
    rows = []
    for arm in rounds.arms:
        row = [arm, *[shown(rounds.values(arm, latency(share, of))) for share in shares]]
        for other in others:
            row += ["–" if arm == other else shown(rounds.differences(arm, other, latency(it, of))) for it in shares]
        row += ["–" if arm == DIRECT else shown(rounds.values(arm, cpu)), *against(rounds, arm, BARE)]
        row += ["–" if arm == DIRECT else number(median(rounds.values(arm, lambda it: it["rss"] / MIB)))]
        rows.append([*row, str(rounds.errors(arm))])
    return table(columns, rows) + "\n"


def rates(samples: list[Sample]) -> str:
    rounds = Rounds(samples, "rate")
    lates = [it["late_us"]["p50"] for it in rounds.all]
    note = f"Of all these times, {number(median(lates))} µs are the generator's own waking (median of the medians).\n"
    return timed(samples, "rate", "latency_us", ("p50", "p99", "p99.9"), "request") + "\n" + note


def streams(samples: list[Sample]) -> str:
    firsts = timed(samples, "streams", "first_us", ("p50", "p99"), "chunk")
    gaps = timed(samples, "streams", "gap_us", ("deviation", "p50", "p99"), "chunk")
    return f"### Time to the first chunk, µs\n\n{firsts}\n### From one chunk to the next, µs\n\n{gaps}"


def profile(samples: list[Sample]) -> str:
    columns = ["connections", "arm", "requests/s", "published", "times", "mean ms", "published", "errors"]
    rows = []
    for scenario in scenarios(samples, "profile"):
        rounds = Rounds(samples, "profile", scenario)
        published, mean = PUBLISHED[scenario]
        for arm in rounds.arms:
            rates_here = rounds.values(arm, rate)
            means = [it / 1000 for it in rounds.values(arm, latency("mean"))]
            times = [it / published for it in rates_here]
            row = [
                scenario.split()[0],
                arm,
                shown(rates_here, 4),
                f"{published:,}",
                shown(times),
                shown(means),
                str(mean),
            ]
            rows.append([*row, str(rounds.errors(arm))])
    return table(columns, rows) + "\n"


def memory(samples: list[Sample]) -> str:
    rows = []
    for it in samples:
        if it["suite"] == "memory":
            sizes = [number(it.get(of, math.nan) / MIB) for of in ("rss", "anonymous", "mock_rss")]
            rows.append([it["arm"], it["scenario"], f"{it['requests']:,}", *sizes])
    return table(["arm", "when", "requests", "RSS MiB", "of it anonymous", "RSS of the mock"], rows) + "\n"


def starts(samples: list[Sample]) -> str:
    rounds = Rounds(samples, "start")
    rows = [[arm, shown([1000 * it for it in rounds.values(arm, lambda it: it["seconds"])])] for arm in rounds.arms]
    return table(["arm", "ms to the first answer"], rows) + "\n"


SECTIONS: dict[str, tuple[str, Callable[[list[Sample]], str]]] = {
    "small": ("Small bodies, closed loop", lambda samples: all_closed(samples, "small")),
    "bodies": ("Larger bodies, closed loop", lambda samples: all_closed(samples, "bodies")),
    "sse": ("Streamed answers, chunks back to back, closed loop", lambda samples: all_closed(samples, "sse")),
    "rate": ("300 B at 1,000 requests a second: latency, µs", rates),
    "streams": ("500 streams of 64 chunks, 20 ms apart", streams),
    "profile": ("The published profile: 1 KiB in, 10 KiB out, a backend of 10 ms, all on two cores", profile),
    "memory": ("Memory", memory),
    "start": ("From starting to the first answer", starts),
}


def summary(samples: list[Sample], title: str, further: list[str]) -> str:
    present = {it["suite"] for it in samples}
    parts = [f"# {title}\n", "Columns and how to read them: `benches/load/README.md`; the machine: `machine.md`.\n"]
    if checked := aims(samples):
        parts.append(f"## Aims\n\n{checked}")
    for suite, (heading, text) in SECTIONS.items():
        if suite in present:
            parts.append(f"## {heading}\n\n{text(samples)}")
    if further:
        parts.append(f"## Against evenkeel-1\n\n{compared(samples, further)}")
    return "\n".join(parts)


def compared(samples: list[Sample], further: list[str]) -> str:
    """Another binary of evenkeel against this one."""
    rows = []
    for suite in ("small", "bodies", "sse", "rate", "streams"):
        for scenario in scenarios(samples, suite):
            rounds = Rounds(samples, suite, scenario)
            for arm in further:
                rows.append([f"{suite}: {scenario}", arm, *against(rounds, arm, "evenkeel-1", 4)])
    return table(["load", "arm", "CPU / evenkeel-1", "steadied"], rows) + "\n"
