"""What every benchmark shares: percentiles, the last line of JSON, the record for the docs."""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

FIGURES = Path(__file__).resolve().parents[2] / "docs" / "figures"

Figure: TypeAlias = "float | int | str | bool | Mapping[str, Figure] | Sequence[Figure] | None"


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return a command line with the options that all benchmarks have."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument(
        "--record", action="store_true", help="keep the figures in docs/figures for the documents"
    )
    return made


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least value that at least `share` (0 to 1) of all values do not exceed.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("no values, so no percentile")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def in_ms(seconds: float) -> float:
    """Return seconds as milliseconds, to the tenth that this machine can tell apart."""
    return round(seconds * 1000.0, 1)


def latencies(prefix: str, seconds: Sequence[float]) -> dict[str, float | None]:
    """Return p50, p99 and the greatest, in ms; None where nothing was measured."""
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {
        f"{prefix}_{name}_ms": in_ms(percentile(seconds, share)) if seconds else None
        for name, share in shares.items()
    }


def recorded(name: str) -> dict[str, Figure]:
    """Return the figures that were kept of a benchmark; none where it was never recorded."""
    path = FIGURES / f"{name}.json"
    if not path.is_file():
        return {}
    figures: dict[str, Figure] = json.loads(path.read_text(encoding="utf-8"))["figures"]
    return figures


def report(
    name: str,
    figures: Mapping[str, Figure],
    *,
    requirements: Sequence[str],
    headline: Sequence[str],
    record: bool,
) -> None:
    """Print the figures as the last line of output, and keep them where asked to.

    Args:
        name: Of the benchmark.
        figures: What was measured.
        requirements: Ids of what it shows something of (docs/requirements.csv).
        headline: Keys of the figures that stand for all.
        record: Whether to write them to docs/figures.
    """
    if record:
        FIGURES.mkdir(parents=True, exist_ok=True)
        kept = {
            "requirements": list(requirements),
            "headline": list(headline),
            "figures": dict(figures),
        }
        path = FIGURES / f"{name}.json"
        path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures))
