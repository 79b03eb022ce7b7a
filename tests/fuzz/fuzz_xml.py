"""Coverage-guided fuzzing of the XML codec: `python -m tests.fuzz.fuzz_xml --seconds 3600`.

libFuzzer stops at the first input that breaks a promise of `tests.fuzz.target`, takes longer than
`TIMEOUT_S` or makes the process greater than `MEMORY_MB`, prints it and leaves it in the folder.
What it finds of interest is left there too, for `python -m tests.fuzz.corpus FOLDER`.
"""

import argparse
import hashlib
import random
import sys
import tempfile
from pathlib import Path
from typing import Final

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["hems.sep2"]):
    from hems.sep2 import xml  # noqa: F401 - first of all, so that everything is instrumented

from tests.fuzz.corpus import kept
from tests.fuzz.mutator import mutated
from tests.fuzz.seeds import seeds, words
from tests.fuzz.target import examine

LONGEST: Final = 8192
TIMEOUT_S: Final = 5
MEMORY_MB: Final = 700
_WORDS: Final = words()


def mutate(data: bytes, longest: int, seed: int) -> bytes:
    """Return another input: changed as a tree two times of three, else as mere octets."""
    rng = random.Random(seed)  # noqa: S311 - libFuzzer wants the same change for the same seed
    if rng.randrange(3):
        made = mutated(data, _WORDS, rng)
        if made is not None and len(made) <= longest:
            return made
    return bytes(atheris.Mutate(data, longest))


def main() -> None:
    """Fuzz until the time is over or something is found."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--seconds", type=int, default=60, help="how long, s")
    line.add_argument("--folder", type=Path, help="where the inputs are kept; default: nowhere")
    options = line.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fuzz-xml-"))
    folder.mkdir(parents=True, exist_ok=True)
    for data in (*seeds(), *kept()):
        (folder / hashlib.sha256(data).hexdigest()[:40]).write_bytes(data)
    dictionary = Path(tempfile.mkdtemp(prefix="fuzz-words-")) / "words"
    dictionary.write_text("".join(f'"{_quoted(word)}"\n' for word in _WORDS), encoding="ascii")
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={options.seconds}",
            f"-max_len={LONGEST}",
            f"-timeout={TIMEOUT_S}",
            f"-rss_limit_mb={MEMORY_MB}",
            f"-dict={dictionary}",
            f"-artifact_prefix={folder}/",
            "-print_final_stats=1",
            str(folder),
        ],
        examine_only,
        custom_mutator=mutate,
    )
    atheris.Fuzz()


def examine_only(data: bytes) -> None:
    """Examine an input; what came of it is of no interest here."""
    examine(data)


def _quoted(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"')


if __name__ == "__main__":
    main()
