"""Draws docs/images/dashboard.png: what the dashboard's own queries say of some minutes of real traffic.

    tests/prometheus/picture.sh [SECONDS]

The panels, their places, titles, units, queries and colours are read from conf/grafana/evenkeel.json, and a real
Prometheus answers the queries; what draws is this program, not Grafana, so the look is not Grafana's.
"""

import contextlib
import math
import pathlib
import random
import re
import sys
import threading
import time

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402
from stand import ROOT, Stand, dashboard_queries  # noqa: E402

STEP = 2
CLIENTS = 6
INK, PAPER, FAINT = "#d8d9da", "#181b1f", "#2c3235"
COLOURS = ["#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#b877d9", "#f2495c", "#8ab8ff", "#96d98d"]
NAMED = {"green": "#73bf69", "red": "#f2495c", "orange": "#ff9830"}


def drive(stand, stop):
    """One client: now a whole answer, now a stream, now and then something that is refused."""
    while not stop.is_set():
        path = "/nowhere" if random.random() < 0.01 else "/smartchat/chat/completions"
        stand.ask(stream=random.random() < 0.4, path=path)
        stop.wait(random.expovariate(8))


def shown(value, unit):
    """A number as a panel of this unit has it."""
    if value is None or math.isnan(value):
        return "–"
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    if unit == "s":
        return f"{1e6 * value:.0f} µs" if value < 1e-3 else f"{1e3 * value:.3g} ms" if value < 1 else f"{value:.3g} s"
    if unit == "bytes":
        return f"{value / 2**20:.3g} MiB"
    if unit == "reqps":
        return f"{value:.3g}/s"
    return f"{value:.4g}"


def series_of(stand, queries, start, end):
    """Each series' name with its moments, in seconds from the start, and its numbers."""
    for query, legend in queries:
        answer = stand.prometheus_says("query_range", query=query, start=start, end=end, step=STEP)
        for result in answer["result"]:
            name = legend
            name = re.sub(r"{{(\w+)}}", lambda label: result["metric"].get(label.group(1), ""), name).strip()
            moments = [float(at) - start for at, _ in result["values"]]
            yield name or "value", moments, [float(value) for _, value in result["values"]]


def draw_lines(axes, panel, series, length):
    custom, unit = panel["fieldConfig"]["defaults"]["custom"], panel["fieldConfig"]["defaults"]["unit"]
    stacked = "stacking" in custom
    # Where a series says nothing it adds nothing.
    grid = [float(moment) for moment in range(0, int(length) + 1, STEP)]
    base = dict.fromkeys(grid, 0.0)
    seen = []
    for name, moments, values in series:
        dashed = name.endswith(", expected")
        partner = name.removesuffix(", expected")
        if partner not in seen:
            seen.append(partner)
        colour = COLOURS[seen.index(partner) % len(COLOURS)]
        if custom.get("drawStyle") == "bars":
            bottoms = [base[moment] for moment in moments]
            axes.bar(moments, values, STEP, bottom=bottoms, color=colour, label=name)
            base.update({moment: base[moment] + value for moment, value in zip(moments, values)})
        elif stacked:
            there = dict(zip(moments, values))
            tops = [base[moment] + there.get(moment, 0.0) for moment in grid]
            axes.fill_between(grid, [base[moment] for moment in grid], tops, color=colour, alpha=0.35, linewidth=0)
            axes.plot(grid, tops, color=colour, linewidth=1, label=name)
            base.update(zip(grid, tops))
        else:
            axes.plot(moments, values, color=colour, linewidth=1.1, label=name, linestyle=(0, (4, 3)) if dashed else "-")
    # Room for the names.
    axes.set_ylim(0, 1.4 * axes.get_ylim()[1])
    axes.yaxis.set_major_formatter(lambda value, _: shown(value, unit))
    axes.grid(color=FAINT, linewidth=0.6)
    if series:
        axes.legend(loc="upper left", fontsize=6, ncols=2, frameon=False, labelcolor=INK)


def draw_states(axes, panel, series, _length):
    mappings = panel["fieldConfig"]["defaults"].get("mappings", [])
    words = {float(key): word for mapping in mappings for key, word in mapping["options"].items()}
    for row, (name, moments, values) in enumerate(reversed(series)):
        for moment, value in zip(moments, values):
            colour = NAMED[words[value]["color"]] if value in words else COLOURS[int(value) % len(COLOURS)]
            axes.barh(row, STEP * 1.02, left=moment, height=0.8, color=colour, linewidth=0, antialiased=False)
        value = "" if words else f": {values[-1]:g}"
        axes.text(1, row, name + value, color="white", fontsize=7, va="center", fontweight="bold")
    axes.set_yticks([])
    if words:
        patches = [Patch(color=NAMED[word["color"]], label=word["text"]) for word in words.values()]
        axes.legend(handles=patches, loc="lower right", fontsize=6, ncols=3, frameon=True, facecolor=PAPER, labelcolor=INK)


def draw_number(axes, panel, series, _length):
    defaults = panel["fieldConfig"]["defaults"]
    last = series[0][2][-1] if series else None
    words = {float(key): word for mapping in defaults.get("mappings", []) for key, word in mapping["options"].items()}
    steps = defaults["thresholds"]["steps"]
    reached = [step["color"] for step in steps if step["value"] is None or (last is not None and last >= step["value"])]
    text, colour = shown(last, defaults["unit"]), NAMED[reached[-1]]
    if last in words:
        text, colour = words[last]["text"], NAMED[words[last]["color"]]
    if panel["options"].get("textMode") == "value_and_name" and series:
        text = f"{series[0][0]}\n{text}"
    axes.text(0.5, 0.5, text, color=colour, fontsize=19, ha="center", va="center", transform=axes.transAxes)
    axes.set_xticks([])
    axes.set_yticks([])


def draw(stand, start, end, path):
    panels = list(dashboard_queries("15s"))
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel, _ in panels)
    figure = plt.figure(figsize=(16, height * 0.33), facecolor="#111217")
    grid = figure.add_gridspec(height, 24, hspace=6, wspace=2.6, left=0.035, right=0.99, top=0.975, bottom=0.012)
    figure.suptitle("Evenkeel", color=INK, fontsize=15, x=0.035, y=0.994, ha="left")
    for panel, queries in panels:
        place = panel["gridPos"]
        axes = figure.add_subplot(
            grid[place["y"] : place["y"] + place["h"], place["x"] : place["x"] + place["w"]], facecolor=PAPER
        )
        box = axes.get_position()
        # Room for the names of the moments above the title of the panel below.
        axes.set_position([box.x0, box.y0 + 0.003, box.width, box.height - 0.006])
        axes.set_title(panel["title"], color=INK, fontsize=9, loc="left", pad=4)
        axes.tick_params(colors=INK, labelsize=6, length=0)
        axes.xaxis.set_major_formatter(lambda value, _: f"{int(value) // 60}:{int(value) % 60:02}")
        for spine in axes.spines.values():
            spine.set_color(FAINT)
        series = list(series_of(stand, queries, start, end))
        {"timeseries": draw_lines, "state-timeline": draw_states, "stat": draw_number}[panel["type"]](
            axes, panel, series, end - start
        )
        if panel["type"] != "stat":
            axes.set_xlim(0, end - start)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=80, facecolor=figure.get_facecolor(), pil_kwargs={"optimize": True})


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 240
    with contextlib.ExitStack() as stack:
        stand = Stand(stack, suspend="20s", fail=0.015)
        stop = threading.Event()
        clients = [threading.Thread(target=drive, args=(stand, stop)) for _ in range(CLIENTS)]
        start = time.time()
        for client in clients:
            client.start()
        time.sleep(seconds)
        end = time.time()
        stop.set()
        for client in clients:
            client.join()
        path = ROOT / "docs/images/dashboard.png"
        # The first seconds have nothing to compare with.
        draw(stand, int(start) + 15, int(end), path)
        print(f"{path.relative_to(pathlib.Path.cwd())}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
