"""Which of two versions is newer, where that can be told from how they are written. Pure.

Makers number as they like. Two versions written alike are the same. Numbers between dots are
compared as numbers, and a pre-release is older than its release. Where a difference may mean
another product, another market, or a decimal fraction, nobody can tell, and that is the answer.
"""

import re
from typing import Final

from hems.bulletin import alike

_VERSION: Final = re.compile(
    r"(?:version|ver|v|fw|r)?[ ._-]?(?P<numbers>\d{1,18}(?:\.\d{1,18}){0,7})(?P<rest>.*)",
    re.ASCII,
)
_PRE: Final = re.compile(
    r"[-_. ]?(?P<stage>dev|alpha|a|beta|b|preview|pre|rc|c)[-_. ]?(?P<at>\d{0,9})"
)
_POST: Final = re.compile(r"[-_. ]?(?:post|rev|p|sp|hotfix)[-_. ]?(?P<at>\d{1,9})")
_STAGES: Final = {
    "dev": 0,
    "alpha": 1,
    "a": 1,
    "beta": 2,
    "b": 2,
    "preview": 3,
    "pre": 3,
    "rc": 3,
    "c": 3,
}
_RELEASE: Final = 4
_POSTED: Final = 5
_DATE_DIGITS: Final = 6
"""A first number of so many digits is a date or a count of builds, not a version's major number."""

_Rank = tuple[tuple[int, ...], tuple[int, int], str]


def compare(one: str, other: str) -> int | None:
    """Return which of two versions is newer.

    Returns:
        -1 where the first is older, 0 where they are the same, 1 where it is newer; None where
        that cannot be told.
    """
    one, other = alike(one), alike(other)
    if not one or not other:
        return None
    if one == other:
        return 0
    first, second = _parsed(one), _parsed(other)
    if first is None or second is None or not _comparable(first[0], second[0]):
        return None
    numbers, stage, rest = _ranked(first)
    numbers2, stage2, rest2 = _ranked(second)
    if rest != rest2:
        return None  # "1.4-EU" and "1.5-US" may be two products
    mine, theirs = (numbers, stage), (numbers2, stage2)
    return (mine > theirs) - (mine < theirs)


def _parsed(text: str) -> tuple[tuple[str, ...], str] | None:
    """Return the numbers as they are written, and what comes behind them."""
    found = _VERSION.fullmatch(text)
    return None if found is None else (tuple(found["numbers"].split(".")), found["rest"].strip())


def _comparable(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if (len(one[0]) >= _DATE_DIGITS) != (len(other[0]) >= _DATE_DIGITS):
        return False  # a date beside a version
    # "1.04" may be older than "1.1" or newer, by who counts; alike in width it is the same either
    # way.
    for a, b in zip(one[1:], other[1:], strict=False):
        if len(a) != len(b) and (_led(a) or _led(b)):
            return False
    return True


def _led(number: str) -> bool:
    return len(number) > 1 and number.startswith("0")


def _ranked(parsed: tuple[tuple[str, ...], str]) -> _Rank:
    written, rest = parsed
    numbers = [int(each) for each in written]
    while numbers and numbers[-1] == 0:  # 1.4 is 1.4.0
        numbers.pop()
    if (pre := _PRE.fullmatch(rest)) is not None:
        return tuple(numbers), (_STAGES[pre["stage"]], int(pre["at"] or 0)), ""
    if (post := _POST.fullmatch(rest)) is not None:
        return tuple(numbers), (_POSTED, int(post["at"])), ""
    return tuple(numbers), (_RELEASE, 0), rest
