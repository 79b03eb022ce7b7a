"""Coverage-guided fuzzing of what chargers say: `python -m tests.fuzz.fuzz_ocpp --seconds 3600`.

libFuzzer stops at the first input that breaks a promise of `tests.fuzz.ocpp_target`, takes longer
than `TIMEOUT_S` or makes the process greater than `MEMORY_MB`, prints it and leaves it in the
folder. What it finds of interest is left there too, for `python -m tests.fuzz.fuzz_ocpp --keep
--folder FOLDER`.
"""

import argparse
import hashlib
import logging
import random
import sys
import tempfile
from pathlib import Path
from typing import Final

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["der", "ocpp"]):
    from der.drivers.ocpp import link16, link201  # noqa: F401 - so that all is instrumented

from tests.fuzz.corpus import keep, kept
from tests.fuzz.ocpp_seeds import mutated, seeds, words
from tests.fuzz.ocpp_target import examine

KEPT: Final = Path(__file__).with_name("corpus_ocpp.txt")
WATCHED: Final = str(Path("der") / "drivers" / "ocpp")
LONGEST: Final = 4096
LONGEST_KEPT: Final = 1024
TIMEOUT_S: Final = 5
MEMORY_MB: Final = 700


def mutate(data: bytes, longest: int, seed: int) -> bytes:
    """Return another input: changed as JSON three times of four, else as mere octets."""
    rng = random.Random(seed)  # noqa: S311 - libFuzzer wants the same change for the same seed
    if rng.randrange(4):
        made = mutated(data, rng)
        if made is not None and len(made) <= longest:
            return made
    return bytes(atheris.Mutate(data, longest))


def main() -> None:
    """Fuzz until the time is over or something is found; or keep what was found."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--seconds", type=int, default=60, help="how long, s")
    line.add_argument("--folder", type=Path, help="where the inputs are kept; default: nowhere")
    line.add_argument("--keep", action="store_true", help="keep the inputs of the folder")
    options = line.parse_args()
    logging.getLogger("der").setLevel(logging.CRITICAL)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fuzz-ocpp-"))
    folder.mkdir(parents=True, exist_ok=True)
    if options.keep:
        found = [path.read_bytes() for path in folder.iterdir() if path.is_file()]
        found = [data for data in found if len(data) <= LONGEST_KEPT]
        print(f"{keep([*kept(KEPT), *found], KEPT, examine, WATCHED)} of {len(found)} are kept")
        return
    for data in (*seeds(), *kept(KEPT)):
        (folder / hashlib.sha256(data).hexdigest()[:40]).write_bytes(data)
    dictionary = Path(tempfile.mkdtemp(prefix="fuzz-words-")) / "words"
    quoted = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words())
    dictionary.write_text("".join(f'"{word}"\n' for word in quoted), encoding="ascii")
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


if __name__ == "__main__":
    main()
