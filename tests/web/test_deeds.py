"""The words by which the page tells the trail: each for operations that there are."""

import re
from pathlib import Path

import pytest

from web.parts import all_operations

pytestmark = pytest.mark.requirement("PRV-RBAC")

SOURCE = Path(__file__).parents[2] / "web" / "app" / "src" / "logic" / "people.ts"
ROW = re.compile(r'^  \["((?:GET|POST|PUT|DELETE) [^"]*)", "(\w+)"\],$', re.MULTILINE)
DEEDS = ROW.findall(SOURCE.read_text(encoding="utf-8"))


def words(did: str) -> str:
    """Return the key of an operation's words, as the page finds it: the first that fits."""
    return next((key for begins, key in DEEDS if did.startswith(begins)), "change")


def test_no_words_are_for_what_nobody_can_do() -> None:
    done = [f"{each.method} {each.path}" for each in all_operations()]
    used = {
        next(b for b, _ in DEEDS if did.startswith(b)) for did in done if words(did) != "change"
    }
    assert [begins for begins, _ in DEEDS if begins not in used] == []


@pytest.mark.parametrize(
    ("did", "key"),
    [
        ("GET /api/history/export", "export"),
        ("GET /api/history/energy", "seeHistory"),
        ("GET /api/settlement.csv", "export"),
        ("POST /api/trust/{device}/block", "judge"),
        ("DELETE /api/devices/{device}", "removeDevice"),
        ("DELETE /api/devices/{device}/wish", "endWish"),
        ("PUT /api/me/app", "factor"),
        ("POST /api/people/{person}/recover", "recover"),
    ],
)
def test_each_deed_has_its_own_words(did: str, key: str) -> None:
    assert words(did) == key
