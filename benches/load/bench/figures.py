"""Samples, looked up and compared round by round."""

import math
import statistics
from collections.abc import Callable

from bench.generators import Sample

Value = Callable[[Sample], float]
MIB = 2**20


def cpu(sample: Sample) -> float:
    return sample["cpu_us"]


def steadied(sample: Sample) -> float:
    """Processor time in units of what generator and mock needed meanwhile: a slow moment of the machine is in both."""
    return sample["cpu_ratio"]


def rate(sample: Sample) -> float:
    return sample["rate"]


def latency(share: str, of: str = "latency_us") -> Value:
    """Nothing for a time in which nothing was timed."""
    return lambda sample: math.nan if sample[of][share] is None else sample[of][share]


class Rounds:
    """The samples of one scenario. Those with errors are shown, and in no figure."""

    def __init__(self, samples: list[Sample], suite: str, scenario: str | None = None) -> None:
        self.all = [it for it in samples if it["suite"] == suite and scenario in (None, it["scenario"])]
        self.good = {(it["arm"], it["round"]): it for it in self.all if not it.get("errors")}
        self.arms = list(dict.fromkeys(it["arm"] for it in sorted(self.all, key=lambda it: it["at"])))

    def errors(self, arm: str) -> int:
        return sum(it.get("errors", 0) for it in self.all if it["arm"] == arm)

    def values(self, arm: str, value: Value) -> list[float]:
        return [value(it) for (whose, _), it in self.good.items() if whose == arm]

    def paired(self, arm: str, other: str, value: Value, combined: Callable[[float, float], float]) -> list[float]:
        """The values of two arms in each round that has both."""
        rounds = [number for whose, number in self.good if whose == arm and (other, number) in self.good]
        return [combined(value(self.good[arm, it]), value(self.good[other, it])) for it in rounds]

    def ratios(self, arm: str, other: str, value: Value) -> list[float]:
        return self.paired(arm, other, value, lambda one, two: one / two if two else float("nan"))

    def differences(self, arm: str, other: str, value: Value) -> list[float]:
        return self.paired(arm, other, value, lambda one, two: one - two)


def scenarios(samples: list[Sample], suite: str) -> list[str]:
    return list(dict.fromkeys(it["scenario"] for it in samples if it["suite"] == suite))


def median(values: list[float]) -> float:
    return statistics.median(values) if values else math.nan


def number(value: float, digits: int = 3) -> str:
    """So many digits that mean something."""
    if math.isnan(value):
        return "–"
    size = abs(value)
    decimals = max(0, digits - 1 - (len(str(int(size))) - 1 if size >= 1 else 0))
    return f"{value:,.{decimals}f}".replace("-", "−")


def shown(values: list[float], digits: int = 3) -> str:
    """The median and, in brackets, the quartiles; of few values the least and the greatest."""
    values = [it for it in values if not math.isnan(it)]
    if not values:
        return "–"
    if len(values) == 1:
        return number(values[0], digits)
    low, high = min(values), max(values)
    if len(values) >= 4:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{number(statistics.median(values), digits)} ({number(low, digits)}–{number(high, digits)})"


def table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
