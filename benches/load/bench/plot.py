"""The plots of a run, from its samples.jsonl: `python3 -m bench.plot DIRECTORY` draws them anew, with matplotlib."""

import json
import pathlib
import subprocess
import sys
from typing import TYPE_CHECKING

from bench.body import SIZES
from bench.figures import MIB, Rounds, cpu, latency, median, scenarios, steadied
from bench.generators import Sample
from bench.machine import ROOT
from bench.process import without_proxies

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HERE = pathlib.Path(__file__).resolve().parent.parent
MATPLOTLIB = "matplotlib==3.10.9"
COLOURS = {
    "direct": "#999999",
    "nginx": "#56b4e9",
    "nginx-lua": "#0072b2",
    "pingora-bare": "#e69f00",
    "pingora-bare-2": "#f0c060",
    "evenkeel-1": "#009e73",
    "evenkeel-2": "#66c2a5",
    "evenkeel-1-quiet": "#b2df8a",
}
OTHERS = ("#cc79a7", "#d55e00", "#7570b3", "#000000")


def draw(directory: pathlib.Path) -> str:
    """Draws with a matplotlib of its own, kept in target/; says what came of it."""
    venv = ROOT / "target/load-venv"
    python = venv / "bin/python"
    try:
        if not (venv / "installed").exists():
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
            pip = [str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", MATPLOTLIB]
            subprocess.run(pip, check=True)
            (venv / "installed").touch()
        command = [str(python), "-B", "-m", "bench.plot", str(directory)]
        done = subprocess.run(command, cwd=HERE, env=without_proxies(), check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        # The figures are there; they are not to be lost for a picture.
        return f"no plots: {error}\n{error.stderr or ''}"
    return done.stdout.strip()


def colour(arm: str, arms: list[str]) -> str:
    further = [it for it in arms if it not in COLOURS]
    return COLOURS.get(arm) or OTHERS[further.index(arm) % len(OTHERS)]


def by_size(samples: list[Sample], axes: "Axes") -> bool:
    """Processor time of a request by the length of its body."""
    found = {}
    for suite in ("small", "bodies"):
        for scenario in scenarios(samples, suite):
            found[scenario] = Rounds(samples, suite, scenario)
    arms = list(dict.fromkeys(arm for rounds in found.values() for arm in rounds.arms if arm != "direct"))
    for arm in arms:
        points = [(SIZES[scenario], rounds.values(arm, cpu)) for scenario, rounds in found.items()]
        points = [(size, values) for size, values in points if values]
        if len(points) < 2:
            # It was not in `bodies`.
            continue
        middles = [median(values) for _, values in points]
        below = [middle - min(values) for middle, (_, values) in zip(middles, points)]
        above = [max(values) - middle for middle, (_, values) in zip(middles, points)]
        sizes = [size for size, _ in points]
        axes.errorbar(sizes, middles, [below, above], label=arm, color=colour(arm, arms), marker="o", capsize=3)
    axes.set(xscale="log", yscale="log", xlabel="body, bytes", ylabel="CPU µs a request, whole process")
    axes.set_title("Processor time of a request (median, least and greatest of the rounds)")
    if len(found) < 2:
        return False
    axes.legend()
    return True


def by_round(samples: list[Sample], axes: "Axes") -> bool:
    """Each round's processor time against the barest proxy's, steadied."""
    rows = []
    for suite in ("small", "bodies", "sse", "streams"):
        for scenario in scenarios(samples, suite):
            rounds = Rounds(samples, suite, scenario)
            arms = [arm for arm in rounds.arms if arm not in ("direct", "nginx", "nginx-lua", "pingora-bare")]
            rows += [(scenario, arm, rounds.ratios(arm, "pingora-bare", steadied)) for arm in arms]
    rows = [row for row in rows if row[2]][::-1]
    arms = list(dict.fromkeys(arm for _, arm, _ in rows))
    for place, (_, arm, values) in enumerate(rows):
        axes.scatter(values, [place] * len(values), s=14, alpha=0.5, color=colour(arm, arms))
        axes.scatter([median(values)], [place], marker="|", s=300, linewidths=2.5, color=colour(arm, arms))
    axes.axvline(1, color="#555555", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [f"{scenario}, {arm}" for scenario, arm, _ in rows])
    axes.set(xlabel="CPU against pingora-bare, each in units of generator + mock")
    axes.set_title("A dot a round, a bar the median")
    return bool(rows)


def latencies(samples: list[Sample], axes: "Axes") -> bool:
    rounds = Rounds(samples, "rate")
    shares = ("p50", "p99", "p99.9")
    for place, arm in enumerate(rounds.arms):
        for number, share in enumerate(shares):
            values = rounds.values(arm, latency(share))
            at = number + (place - len(rounds.arms) / 2) * 0.12
            label = arm if number == 0 else None
            axes.scatter([at] * len(values), values, s=14, alpha=0.5, color=colour(arm, rounds.arms), label=label)
            axes.scatter([at], [median(values)], marker="_", s=200, linewidths=2.5, color=colour(arm, rounds.arms))
    axes.set_xticks(range(len(shares)), shares)
    axes.set(yscale="log", ylabel="µs from the moment a request was due")
    axes.set_title("300 B, 1,000 requests a second: a dot a round, a bar the median")
    if rounds.good:
        axes.legend()
    return bool(rounds.good)


def memory(samples: list[Sample], axes: "Axes") -> bool:
    found = [it for it in samples if it["suite"] == "memory" and it["scenario"] != "with streams open"]
    arms = list(dict.fromkeys(it["arm"] for it in found))
    for arm in arms:
        points = [(it["requests"], it["rss"] / MIB) for it in found if it["arm"] == arm]
        axes.plot(*zip(*points), label=arm, color=colour(arm, arms), marker="o")
    axes.set(xlabel="small requests served", ylabel="RSS, MiB", ylim=(0, None))
    axes.set_title("Memory")
    if arms:
        axes.legend()
    return bool(found)


def main() -> None:
    import matplotlib

    matplotlib.use("Agg")
    # The same samples make the same files.
    matplotlib.rcParams["svg.hashsalt"] = "evenkeel"
    import matplotlib.pyplot as plt

    directory = pathlib.Path(sys.argv[1])
    lines = (directory / "samples.jsonl").read_text().splitlines()
    samples: list[Sample] = [json.loads(line) for line in lines]
    drawn = []
    plots = {"cpu": by_size, "rounds": by_round, "latency": latencies, "memory": memory}
    for name, plot in plots.items():
        figure, axes = plt.subplots(figsize=(9, 5.5), layout="constrained")
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        if plot(samples, axes):
            figure.savefig(directory / f"{name}.svg", metadata={"Date": None})
            drawn.append(f"{name}.svg")
        plt.close(figure)
    print("plots: " + (", ".join(drawn) or "nothing to draw"))


if __name__ == "__main__":
    main()
