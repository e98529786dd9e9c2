"""The report of a soak: a table for people, and a picture of every metric over time."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .samples import METRICS, Trend

WIDTH, HEIGHT, GAP, LEFT = 900, 90, 34, 190


def table(found: Sequence[Trend]) -> str:
    """One line a metric."""
    head = f"{'':26}{'after warm-up':>14}{'at the end':>12}{'growth':>10}{'allowed':>9}{'an hour':>10}"
    lines = [head]
    for trend in found:
        name = f"{trend.metric.name}, {trend.metric.unit}" if trend.metric.unit else trend.metric.name
        numbers = f"{trend.first:14.1f}{trend.last:12.1f}{trend.last - trend.first:+10.1f}{trend.metric.allowed:9.1f}"
        lines.append(f"{name:26}{numbers}{trend.per_hour:+10.1f}  {'GROWS' if trend.grows else 'ok'}")
    return "\n".join(lines)


def picture(times: Sequence[float], samples: Sequence[Sequence[float]], warm_up: float) -> str:
    """One strip a metric, as SVG; the warm-up is grey."""
    end = times[-1] or 1.0
    height = len(METRICS) * (HEIGHT + GAP) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 20} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="100%" height="{height}" fill="white"/>',
    ]
    for index, metric in enumerate(METRICS):
        top = GAP + index * (HEIGHT + GAP)
        series = [values[index] for values in samples]
        most = max(*series, 1.0) * 1.1
        points = " ".join(
            f"{LEFT + time / end * WIDTH:.1f},{top + HEIGHT - value / most * HEIGHT:.1f}"
            for time, value in zip(times, series, strict=True)
        )
        unit = f" ({metric.unit})" if metric.unit else ""
        parts += [
            f'<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="#f8f8f8"/>',
            f'<rect x="{LEFT}" y="{top}" width="{warm_up / end * WIDTH:.1f}" height="{HEIGHT}" fill="#e4e4e4"/>',
            f'<text x="8" y="{top + 16}">{escape(metric.name + unit)}</text>',
            f'<text x="8" y="{top + 34}" fill="#666">at most {max(series):.1f}</text>',
            f'<polyline points="{points}" fill="none" stroke="#1565c0" stroke-width="1.2"/>',
        ]
    parts += [f'<text x="{LEFT}" y="{height - 12}" fill="#666">0 to {end / 60:.1f} min</text>', "</svg>"]
    return "\n".join(parts) + "\n"
