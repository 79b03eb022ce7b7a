"""Coverage-guided fuzzing of Modbus answers: `python -m tests.fuzz.fuzz_modbus --seconds 3600`."""

from pathlib import Path

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["der.drivers.modbus", "der.drivers.sunspec"]):
    from der.drivers.sunspec import link  # noqa: F401 - first, to be instrumented

from tests.fuzz.engine import Target, fuzz
from tests.fuzz.modbus_seeds import seeds
from tests.fuzz.modbus_target import examine

TARGET = Target(
    "modbus",
    examine,
    seeds,
    watched=str(Path("der") / "drivers"),
    longest=600,
    longest_kept=600,
)

if __name__ == "__main__":
    fuzz(TARGET)
