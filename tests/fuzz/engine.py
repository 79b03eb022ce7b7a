"""One way of fuzzing for all targets: libFuzzer, a folder, and a corpus that is kept.

libFuzzer stops at the first input that breaks a promise of its target, takes longer than
`TIMEOUT_S` or makes the process greater than `MEMORY_MB`, prints it and leaves it in the folder.
What it finds of interest is left there too; `--keep` takes from it what goes a way of its own.
"""

import argparse
import hashlib
import logging
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import atheris  # type: ignore[import-untyped]

from tests.fuzz.corpus import keep, kept

TIMEOUT_S: Final = 5
MEMORY_MB: Final = 700


@dataclass(frozen=True, slots=True)
class Target:
    """What is fuzzed.

    Attributes:
        name: In file names.
        examine: Given an input, says what came of it; raises where a promise is broken.
        seeds: Inputs to begin with.
        watched: Part of the path of the sources whose ways count in the corpus.
        words: Of its dictionary.
        mutated: Returns another input of the same shape; None where it has none. Used twice of
            three times, else octets are changed.
        longest: Octets of an input.
        longest_kept: Octets of an input that is kept.
    """

    name: str
    examine: Callable[[bytes], str]
    seeds: Callable[[], Iterable[bytes]]
    watched: str
    words: Sequence[str] = ()
    mutated: Callable[[bytes, random.Random], bytes | None] | None = None
    longest: int = 4096
    longest_kept: int = 4096

    @property
    def corpus(self) -> Path:
        """The inputs that are kept."""
        return Path(__file__).with_name(f"corpus_{self.name}.txt")


def fuzz(target: Target) -> None:
    """Fuzz until the time is over or something is found; or keep what was found."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--seconds", type=int, default=60, help="how long, s")
    line.add_argument("--folder", type=Path, help="where the inputs are kept; default: nowhere")
    line.add_argument("--keep", action="store_true", help="keep the inputs of the folder")
    options = line.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix=f"fuzz-{target.name}-"))
    folder.mkdir(parents=True, exist_ok=True)
    logging.disable()  # a line for each input would be what takes the time
    if options.keep:
        found = [path.read_bytes() for path in folder.iterdir() if path.is_file()]
        short = [data for data in found if len(data) <= target.longest_kept]
        inputs = [*kept(target.corpus), *short]
        number = keep(inputs, target.corpus, target.examine, target.watched)
        print(f"{number} of {len(inputs)} inputs are kept in {target.corpus.name}")
        return
    for data in (*target.seeds(), *kept(target.corpus)):
        (folder / hashlib.sha256(data).hexdigest()[:40]).write_bytes(data)
    dictionary = Path(tempfile.mkdtemp(prefix="fuzz-words-")) / "words"
    dictionary.write_text(
        "".join(f'"{_quoted(word)}"\n' for word in target.words if word), encoding="ascii"
    )
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={options.seconds}",
            f"-max_len={target.longest}",
            f"-timeout={TIMEOUT_S}",
            f"-rss_limit_mb={MEMORY_MB}",
            *([f"-dict={dictionary}"] if any(target.words) else []),  # an empty one ends it
            f"-artifact_prefix={folder}/",
            "-print_final_stats=1",
            str(folder),
        ],
        lambda data: _examine_only(target, data),
        custom_mutator=lambda data, longest, seed: _mutate(target, data, longest, seed),
    )
    atheris.Fuzz()


def _examine_only(target: Target, data: bytes) -> None:
    target.examine(data)


def _mutate(target: Target, data: bytes, longest: int, seed: int) -> bytes:
    rng = random.Random(seed)  # noqa: S311 - libFuzzer wants the same change for the same seed
    if target.mutated is not None and rng.randrange(3):
        made = target.mutated(data, rng)
        if made is not None and len(made) <= longest:
            return made
    return bytes(atheris.Mutate(data, longest))


def _quoted(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"')
