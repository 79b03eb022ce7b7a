"""Coverage-guided fuzzing of MQTT payloads: `python -m tests.fuzz.fuzz_mqtt --seconds 3600`."""

from pathlib import Path

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["der.drivers.mqtt"]):
    from der.drivers.mqtt import profiles, twin  # noqa: F401 - first, to be instrumented

from tests.fuzz.engine import Target, fuzz
from tests.fuzz.mqtt_seeds import mutated, seeds, words
from tests.fuzz.mqtt_target import examine

TARGET = Target(
    "mqtt",
    examine,
    seeds,
    watched=str(Path("der") / "drivers" / "mqtt"),
    words=words(),
    mutated=mutated,
    longest=4096,
    longest_kept=4096,
)

if __name__ == "__main__":
    fuzz(TARGET)
