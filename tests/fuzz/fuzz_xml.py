"""Coverage-guided fuzzing of the XML codec: `python -m tests.fuzz.fuzz_xml --seconds 3600`."""

from pathlib import Path
from typing import Final

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["hems.sep2"]):
    from hems.sep2 import xml  # noqa: F401 - first, to be instrumented

from tests.fuzz.engine import Target, fuzz
from tests.fuzz.xml_mutator import mutated
from tests.fuzz.xml_seeds import seeds, words
from tests.fuzz.xml_target import examine

WORDS: Final = words()
TARGET = Target(
    "xml",
    examine,
    seeds,
    watched=str(Path("hems") / "sep2"),
    words=WORDS,
    mutated=lambda data, rng: mutated(data, WORDS, rng),
    longest=8192,
    longest_kept=8192,
)

if __name__ == "__main__":
    fuzz(TARGET)
