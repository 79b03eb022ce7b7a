"""Coverage-guided fuzzing of the customer port: `python -m tests.fuzz.fuzz_p1 --seconds 3600`."""

from pathlib import Path

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["der.drivers.p1", "dsmr_parser"]):
    from der.drivers.p1 import link  # noqa: F401 - first, to be instrumented

from tests.fuzz.engine import Target, fuzz
from tests.fuzz.p1_seeds import mutated, seeds, words
from tests.fuzz.p1_target import examine

TARGET = Target(
    "p1",
    examine,
    seeds,
    watched=str(Path("der") / "drivers" / "p1"),
    words=words(),
    mutated=mutated,
    longest=20_000,
    longest_kept=20_000,
)

if __name__ == "__main__":
    fuzz(TARGET)
