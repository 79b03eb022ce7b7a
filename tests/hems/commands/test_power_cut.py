"""A power cut in the middle of a write leaves the old devices or the new ones, never less."""

import asyncio
import random
import sys
from pathlib import Path

import pytest

from hems.settings.devices_file import DEFAULT, locked, tables, write

CUTS = 15
WRITER = """
import sys
from pathlib import Path
from hems.settings.devices_file import write
path = Path(sys.argv[1])
print("begun", flush=True)
while True:
    for count in (1, 400):
        write(path, [{"id": f"d{n}", "name": "x" * 200} for n in range(count)])
"""


@pytest.mark.requirement("LC-TEST")
async def test_the_file_is_whole_after_each_cut(tmp_path: Path) -> None:
    path, chance = tmp_path / DEFAULT, random.Random(4)  # noqa: S311 - moments, not secrets
    write(path, [{"id": "d0", "name": "before"}])
    sizes = set()
    for _ in range(CUTS):
        writer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITER, str(path)), stdout=asyncio.subprocess.PIPE
        )
        assert writer.stdout is not None
        await writer.stdout.readline()
        await asyncio.sleep(chance.uniform(0.0, 0.05))
        writer.kill()
        await writer.wait()
        sizes.add(len(tables(path)))
        assert sizes <= {1, 400}
        with locked(path):  # and the next command finds nothing in its way
            write(path, [{"id": "d0", "name": "again"}])
        assert tables(path) == [{"id": "d0", "name": "again"}]
        assert not path.with_name(f".{DEFAULT}.new").exists()
    assert names(tmp_path) == {DEFAULT, f".{DEFAULT}.lock"}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
