"""EMHASS, driven line by line: runs in an environment of its own, where nothing of ours is.

Reads one JSON object a line (as `plan_speed.as_emhass` writes it), plans it, and answers with one:
`ms` from making its `Optimization` to the table of results, `again_ms` for planning the same on
the object made before (it keeps the problem that it has built), `objective` to be minimised,
and its `status`.
"""

import json
import logging
import pathlib
import sys
import time
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped, import-not-found, unused-ignore]
from emhass import (  # type: ignore[import-not-found, unused-ignore]
    __file__ as emhass_file,
)
from emhass.optimization import (  # type: ignore[import-not-found, unused-ignore]
    Optimization,
)


def main() -> None:
    """Answer until the input ends."""
    logger = logging.getLogger("emhass")
    logger.setLevel(logging.CRITICAL)
    data = pathlib.Path(emhass_file).parent / "data"
    defaults = json.loads((data / "config_defaults.json").read_text(encoding="utf-8"))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(plan(json.loads(line), defaults, logger)), flush=True)


def plan(asked: dict[str, Any], defaults: dict[str, Any], logger: logging.Logger) -> dict[str, Any]:
    """Plan what is asked twice, the second time on the problem built the first time."""
    step = pd.Timedelta(seconds=asked["step_s"])
    index = pd.date_range(
        pd.Timestamp(asked["start"], unit="s", tz="UTC"), periods=asked["count"], freq=step
    )
    conf = {**defaults, **asked["conf"], "delta_forecast_daily": step * asked["count"]}
    home = {
        "optimization_time_step": step,
        "time_zone": index.tz,
        "sensor_power_photovoltaics": "sun",
        "sensor_power_load_no_var_loads": "load",
    }
    table = pd.DataFrame(
        {
            "sun": asked["sun_w"],
            "load": asked["load_w"],
            "buy": asked["buy"],
            "sell": asked["sell"],
        },
        index=index,
    )
    given = [np.array(asked[key]) for key in ("sun_w", "load_w", "buy", "sell")]
    started = time.perf_counter()
    optimization = Optimization(home, dict(conf), dict(conf), "buy", "sell", "profit", {}, logger)
    stages: dict[str, float] = {}
    optimization.perform_optimization(table, *given, **asked["soc"], stage_times=stages)
    made = time.perf_counter()
    answer = {
        "ms": 1000.0 * (made - started),
        "solve_ms": 1000.0 * stages["optim_solve.solve"],
        "status": optimization.optim_status,
        "objective": None if optimization.prob.value is None else -float(optimization.prob.value),
    }
    again = time.perf_counter()
    optimization.perform_optimization(table, *given, **asked["soc"])
    return {**answer, "again_ms": 1000.0 * (time.perf_counter() - again)}


if __name__ == "__main__":
    main()
