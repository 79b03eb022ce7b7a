"""What of the lock file is installed where nothing is built or tested."""

import subprocess
import sys

import pytest

from tests.supply.parts import PROJECT, PYTHON_LOCK, ROOT, Use, pinned, python_parts
from tests.supply.runtime import NoSuchExtraError, part_of, runtime
from tests.supply.test_sbom import LOCK
from tests.supply.test_sbom import PROJECT as SMALL


def named(lock: str) -> set[str]:
    return {pin.name for pin in pinned(lock)}


@pytest.mark.parametrize(
    ("extras", "wanted"), [((), {"shipped", "below"}), (("extra",), {"shipped", "below", "some"})]
)
def test_what_is_needed_and_what_that_needs(extras: tuple[str, ...], wanted: set[str]) -> None:
    assert named(runtime(LOCK, SMALL, extras)) == wanted


def test_entries_stand_there_as_in_the_lock() -> None:
    made = runtime(LOCK, SMALL, ())
    assert made == LOCK[: LOCK.index("some==")]
    assert part_of(LOCK, ["some"]) == LOCK[LOCK.index("some==") : LOCK.index("tool==")]


def test_an_extra_that_is_not_there_is_named() -> None:
    with pytest.raises(NoSuchExtraError, match=r"'nope': there are dev, extra"):
        runtime(LOCK, SMALL, ("nope",))


def test_it_is_the_list_of_parts_that_are_shipped() -> None:
    lock = PYTHON_LOCK.read_text(encoding="utf-8")
    shipped = {
        part.name for part in python_parts(lock, PROJECT.read_bytes()) if part.use is Use.SHIPPED
    }
    asked = (sys.executable, "-m", "tests.supply.runtime")
    told = subprocess.run(asked, check=True, capture_output=True, text=True, cwd=ROOT)
    assert named(told.stdout) == shipped
    assert not {"pytest", "ruff", "mypy"} & shipped
    assert all(pin.hashes for pin in pinned(told.stdout))


def test_a_head_end_has_what_its_database_needs() -> None:
    wanted = runtime(PYTHON_LOCK.read_text(encoding="utf-8"), PROJECT.read_bytes(), ["headend"])
    assert {"asyncpg", "greenlet", "aiosqlite"} <= named(wanted)
