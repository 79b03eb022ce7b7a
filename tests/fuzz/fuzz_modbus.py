"""Coverage-guided fuzzing of what Modbus devices send: `python -m tests.fuzz.fuzz_modbus`.

libFuzzer stops at the first input that breaks a promise of `tests.fuzz.modbus_target`, takes
longer than `TIMEOUT_S` or makes the process greater than `MEMORY_MB`, prints it and leaves it in
the folder.
"""

import argparse
import hashlib
import logging
import sys
import tempfile
from pathlib import Path
from typing import Final

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["der.drivers.modbus", "der.drivers.sunspec"]):
    from der.drivers.sunspec import link  # noqa: F401 - first, so that everything is instrumented

from tests.fuzz.modbus_seeds import seeds
from tests.fuzz.modbus_target import examine

LONGEST: Final = 600
TIMEOUT_S: Final = 5
MEMORY_MB: Final = 700


def main() -> None:
    """Fuzz until the time is over or something is found."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--seconds", type=int, default=60, help="how long, s")
    line.add_argument("--folder", type=Path, help="where the inputs are kept; default: nowhere")
    options = line.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fuzz-modbus-"))
    folder.mkdir(parents=True, exist_ok=True)
    logging.disable()
    for data in seeds():
        (folder / hashlib.sha256(data).hexdigest()[:40]).write_bytes(data)
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={options.seconds}",
            f"-max_len={LONGEST}",
            f"-timeout={TIMEOUT_S}",
            f"-rss_limit_mb={MEMORY_MB}",
            f"-artifact_prefix={folder}/",
            "-print_final_stats=1",
            str(folder),
        ],
        examine_only,
    )
    atheris.Fuzz()


def examine_only(data: bytes) -> None:
    """Examine an input; what came of it is of no interest here."""
    examine(data)


if __name__ == "__main__":
    main()
