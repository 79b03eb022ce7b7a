"""Coverage-guided fuzzing of one parser: `python -m tests.fuzz est --seconds 3600`.

The names are those of `tests/fuzz/parsers/table.py` and of the files `fuzz_*.py` beside this one.
"""

import runpy
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]

from tests.fuzz.engine import Target, fuzz
from tests.fuzz.parsers.table import TARGETS, parser, watched

OWN = sorted(path.stem.removeprefix("fuzz_") for path in Path(__file__).parent.glob("fuzz_*.py"))


def main() -> None:
    """Fuzz what is named first on the command line."""
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name in OWN:
        runpy.run_module(f"tests.fuzz.fuzz_{name}", run_name="__main__")
        return
    if name not in TARGETS:
        known = ", ".join(sorted([*TARGETS, *OWN]))
        sys.exit(f"fuzz: {name or 'nothing'} is no target; there are: {known}")
    with atheris.instrument_imports(include=list(TARGETS[name])):
        target = parser(name)
    words = [word.decode("latin-1") for word in target.words if word.isascii()]
    fuzz(
        Target(
            name,
            target.examine,
            target.seeds,
            watched=watched(name),
            words=[word for word in words if word.isprintable() and len(word) < 64],
            mutated=target.mutated,
            longest=64_000,
            longest_kept=1_200,
        )
    )


if __name__ == "__main__":
    main()
