"""Sentences for people, which can be told in their language as long as nobody took them apart.

A sentence is text like any other: it is logged, kept and compared as English. It also remembers
the template it was made of and what was filled in, so that whoever shows it to a person can look
the template up in that person's language. One that was cut, joined or read back from a disk is
plain text and is shown as it is.

A template may have two forms, for one and for several: "{names} follows. | {names} follow." The
first place of the second form decides: several are a row of names (`listed`) or a number that is
not 1. Each language has as many forms as English, and the same places in each.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Self

Value = str | int | float
Given = Value | BaseException
"""What may be filled in; of an error, what it says."""
NOTHING: Final[Mapping[str, Value]] = {}
_BETWEEN_FORMS: Final = " | "
_ROW: Final = "{several} and {last}"
_PLACE: Final = re.compile(r"\{(\w+)")


class Sentence(str):
    """A sentence with its template; made by `say`.

    Attributes:
        template: With places in braces, as `str.format` has them ("Held at {power}"); of one with
            two forms the one that fits.
        values: What is filled in, by place; a value may be a `Sentence` or a `Quantity` itself.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, Value]

    def __new__(cls, template: str, values: Mapping[str, Value] = NOTHING) -> Self:
        """Fill a template in.

        Raises:
            KeyError: A place of the template has no value.
        """
        form = _fitting(template, values)
        made = super().__new__(cls, form.format_map(values) if values else form)
        made.template = form
        made.values = values
        return made


def forms(template: str) -> Sequence[str]:
    """Return a template's forms: one, or the ones for one and for several."""
    return template.split(_BETWEEN_FORMS)


def _fitting(template: str, values: Mapping[str, Value]) -> str:
    """Return the form of a template that fits what is filled in."""
    one, *other = forms(template)
    if not other:
        return one
    place = _PLACE.search(other[0])
    return other[0] if place is not None and _several(values[place[1]]) else one


def _several(value: Value) -> bool:
    if isinstance(value, str):
        return isinstance(value, Sentence) and value.template == _ROW
    return value != 1


class Quantity(str):
    """A figure with its unit ("1.5 kW"): the same text, with the figure's decimal mark known.

    Attributes:
        figure: The digits, with a point as decimal mark and no thousands' marks.
        unit: As written behind it; empty for none.
    """

    __slots__ = ("figure", "unit")

    figure: str
    unit: str

    def __new__(cls, figure: str, unit: str = "") -> Self:
        """Put figure and unit together."""
        gap = " " if unit and not unit.startswith("/") else ""
        made = super().__new__(cls, f"{figure}{gap}{unit}")
        made.figure = figure
        made.unit = unit
        return made


class Verbatim(str):
    """A name that looks like a figure ("1.4" of a version): told as it is in every language."""

    __slots__ = ()


def said(error: BaseException) -> str:
    """Return what an error says, as the sentence it was raised with where it was one."""
    first = error.args[0] if len(error.args) == 1 else None
    return first if isinstance(first, Sentence) else str(error)


def say(template: str, /, **values: Given) -> Sentence:
    """Return the sentence that a template makes with these values.

    Templates are whole English sentences or phrases and literal where they are written, so that
    they can be found for translation; no template is put together at run time.
    """
    for place, value in values.items():
        if isinstance(value, BaseException):
            values[place] = said(value)
    return Sentence(template, values)  # type: ignore[arg-type]  # no error is left in them


class Template(str):
    """A template that waits in a table for its values; as literal as one that `say` is given."""

    __slots__ = ()

    def __call__(self, /, **values: Given) -> Sentence:
        """Return the sentence that it makes with these values."""
        return say(self, **values)


def listed(parts: Sequence[str]) -> str:
    """Return names or clauses in a row: "A", "A and B", "A, B and C"; empty for none."""
    if len(parts) < 2:  # noqa: PLR2004 - a row
        return "".join(parts)
    several = parts[0]
    for each in parts[1:-1]:
        several = say("{several}, {next}", several=several, next=each)
    return say("{several} and {last}", several=several, last=parts[-1])


def in_turn(clauses: Sequence[str]) -> str:
    """Return clauses as one sentence: "A; B; C"; empty for none."""
    whole = clauses[0] if clauses else ""
    for each in clauses[1:]:
        whole = say("{clause}; {next}", clause=whole, next=each)
    return whole


def together(sentences: Sequence[str]) -> str:
    """Return whole sentences as one text; empty for none."""
    text = sentences[0] if sentences else ""
    for each in sentences[1:]:
        text = say("{sentence} {next}", sentence=text, next=each)
    return text
