"""Coverage-guided fuzzing of what chargers say: `python -m tests.fuzz.fuzz_ocpp --seconds 3600`."""

from pathlib import Path

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["der", "ocpp"]):
    from der.drivers.ocpp import link16, link201  # noqa: F401 - first, to be instrumented

from tests.fuzz.engine import Target, fuzz
from tests.fuzz.ocpp_seeds import mutated, seeds, words
from tests.fuzz.ocpp_target import examine

TARGET = Target(
    "ocpp",
    examine,
    seeds,
    watched=str(Path("der") / "drivers" / "ocpp"),
    words=words(),
    mutated=mutated,
    longest=4096,
    longest_kept=1024,
)

if __name__ == "__main__":
    fuzz(TARGET)
