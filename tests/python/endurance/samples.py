"""What a process takes up, once a second, and whether that grows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import NamedTuple

from support.programs import Valet

from .connect import call
from .stock import ABSENT, VALUES

#: Points of which each pair has a slope; more would not tell more.
MOST_POINTS = 120


class Metric(NamedTuple):
    """Something that is sampled, its unit, and by how much its median may differ between the two ends of a run."""

    name: str
    unit: str
    allowed: float


METRICS = (
    Metric("resident memory", "MiB", 4.0),
    Metric("descriptors", "", 8),
    Metric("threads", "", 4),
    Metric("tasks", "", 12),
    Metric("reads under way", "", 6),
    Metric("connections", "", 6),
    # What is invalidated or refused comes back; there is nothing else that could be cached.
    Metric("cached values", "", len(VALUES)),
    Metric("names cached as absent", "", len(ABSENT)),
    Metric("cached bytes", "KiB", 1.0 * len(VALUES)),
)


def sample(valet: Valet) -> list[float]:
    """One value for each metric."""
    process = f"/proc/{valet.process.pid}"
    with open(f"{process}/status", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
    reply = call(valet.admin_socket, "Admin/Status", {})
    assert reply.status == 200, reply
    cache = {name: int(count) for name, count in reply.body["cache"].items()}
    return [
        int(lines["VmRSS"].split()[0]) / 1024,
        len(os.listdir(f"{process}/fd")),
        int(lines["Threads"]),
        int(reply.body["tasks"]),
        cache.get("inFlight", 0),
        sum(int(listener.get("connections", 0)) for listener in reply.body["listeners"]),
        cache.get("values", 0),
        cache.get("notFound", 0),
        cache.get("bytes", 0) / 1024,
    ]


@dataclass(frozen=True)
class Trend:
    """How one metric went, after the warm-up."""

    metric: Metric
    #: The medians of the first and of the last third.
    first: float
    last: float
    #: By the Theil-Sen estimator: the median of the slopes between all pairs of points.
    per_hour: float

    @property
    def grows(self) -> bool:
        return self.last - self.first > self.metric.allowed


def trends(times: list[float], samples: list[list[float]], warm_up: float) -> list[Trend]:
    """Of every metric; times are in seconds."""
    kept = [(time, values) for time, values in zip(times, samples, strict=True) if time >= warm_up]
    third = len(kept) // 3
    assert third, "the run was too short"
    step = -(-len(kept) // MOST_POINTS)
    found = []
    for index, metric in enumerate(METRICS):
        series = [values[index] for _, values in kept]
        points = [(time, values[index]) for time, values in kept[::step]]
        slope = median((there - here) / (then - now) for (now, here), (then, there) in combinations(points, 2))
        found.append(Trend(metric, median(series[:third]), median(series[-third:]), slope * 3600))
    return found
