"""A language's catalogue: templates by English template, and sentences told with it.

A sentence that still knows its template is looked up. One that was kept on a disk or came from
another process is plain text: it is held against the catalogue's templates, piece by piece and
without going back, so that no text takes long, whoever wrote it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter
from typing import Final

from der.sentence import Quantity, Sentence, Verbatim, forms

_LONGEST: Final = 2000
"""Characters; what is longer is no sentence."""
_DEEPEST: Final = 5
"""So many sentences within another are told."""
_REMEMBERED: Final = 2048
_MOST_PIECES: Final = 8
_LEAST_LETTERS: Final = 6
_LEAST_WITH_CLOCK: Final = 4
"""A template that begins with a place is known by no fewer letters than these, unless a number is
in it."""
_CLOCK: Final = "time"
"""Places of this name are for the time of the day."""
_CLOCKED: Final = re.compile(r"(?:[A-Z][a-z]{2} )?\d\d:\d\d(?: [A-Za-z0-9+-]{2,6})?")
_BETWEEN: Final = (". ", "; ", ": ")
"""What sentences are put together with."""
_NUMBER: Final = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?%?|-?inf|nan")
_FIGURE: Final = re.compile(r"([-+]?\d+)(?:\.(\d+))?(%| [A-Za-z%/]{1,8})?")
_FORMATTER: Final = Formatter()


def figure(text: str) -> str:
    """Return a number, with a unit or without, with a comma as decimal mark; other text as is."""
    found = _FIGURE.fullmatch(text)
    if found is None:
        return text
    whole, part, unit = found[1], found[2], found[3] or ""
    return f"{whole},{part}{_spaced(unit)}" if part else f"{whole}{_spaced(unit)}"


def _spaced(unit: str) -> str:
    return " %" if unit == "%" else unit


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a template: its name and how a value is written there."""

    name: str
    conversion: str
    spec: str

    @property
    def numeric(self) -> bool:
        """Whether only a number fits."""
        return self.spec[-1:] in set("defgn%") and bool(self.spec)

    def takes(self, text: str) -> bool:
        """Return whether a text can have been written here."""
        if self.numeric:
            return _NUMBER.fullmatch(text) is not None
        return self.name != _CLOCK or _CLOCKED.fullmatch(text) is not None

    def written(self, value: object) -> str:
        """Return a value as it stands in the English sentence."""
        if self.conversion:
            value = _FORMATTER.convert_field(value, self.conversion)
        return format(value, self.spec)


@dataclass(frozen=True, slots=True)
class Parts:
    """A template, taken apart.

    Attributes:
        literals: What stands before, between and behind the places: one more than these.
        places: In order.
    """

    literals: tuple[str, ...]
    places: tuple[Place, ...]

    @property
    def letters(self) -> int:
        """How many letters of it are the same in every sentence."""
        return sum(character.isalpha() for literal in self.literals for character in literal)

    @property
    def telling(self) -> bool:
        """Whether a sentence can be known by it, though it begins with a place."""
        clock = any(place.name == _CLOCK for place in self.places)
        least = _LEAST_WITH_CLOCK if clock else _LEAST_LETTERS
        return self.letters >= least or any(place.numeric for place in self.places)

    def filled(self, told: Mapping[str, str]) -> str:
        """Return the sentence with these values, whatever the places' formats."""
        parts = [self.literals[0]]
        for place, literal in zip(self.places, self.literals[1:], strict=True):
            parts += (told.get(place.name, ""), literal)
        return "".join(parts)

    def found_in(self, text: str) -> dict[str, str] | None:
        """Return what fills the places of a sentence; None for a sentence of another template."""
        first, last = self.literals[0], self.literals[-1]
        if not (text.startswith(first) and text.endswith(last)):
            return None
        at, end = len(first), len(text) - len(last)
        values: dict[str, str] = {}
        for number, place in enumerate(self.places):
            behind = self.literals[number + 1]
            until = end if number + 1 == len(self.places) else text.find(behind, at + 1, end)
            if until <= at:
                return None
            value = text[at:until]
            if not place.takes(value) or values.setdefault(place.name, value) != value:
                return None
            at = until + len(behind)
        return values


@lru_cache(maxsize=_REMEMBERED)
def taken_apart(template: str) -> Parts:
    """Return a template's literals and places."""
    literals, places = [""], list[Place]()
    for literal, name, spec, conversion in _FORMATTER.parse(template):
        literals[-1] += literal
        if name is not None:
            places.append(Place(name, conversion or "", spec or ""))
            literals.append("")
    return Parts(tuple(literals), tuple(places))


class Catalogue:
    """A language's templates.

    Args:
        language: Which.
        templates: By English template; each with as many forms as that.
    """

    def __init__(self, language: str, templates: Mapping[str, str]) -> None:
        self._language = language
        self._templates = {
            form: told
            for english, other in templates.items()
            for form, told in zip(forms(english), forms(other), strict=True)
        }
        self._by_word: dict[str, list[str]] = {}
        self._loose: list[str] = []
        for english in sorted(self._templates, key=lambda each: -taken_apart(each).letters):
            self._enter(english)
        self._recognised = lru_cache(maxsize=_REMEMBERED)(self._recognise)

    def tell(self, text: str, depth: int = 0) -> str:
        """Return a sentence in this language; what is not known is told as it is."""
        if isinstance(text, Verbatim):
            return str(text)
        if isinstance(text, Quantity):
            return figure(str(text))
        if not isinstance(text, Sentence):
            return self._recognised(str(text), depth)
        if not text.values and text.template not in self._templates:
            return self._recognised(str(text), depth)
        english = taken_apart(text.template)
        told: dict[str, str] = {}
        for place in english.places:
            value = text.values[place.name]
            as_it_is = not (place.conversion or place.spec)
            told[place.name] = (
                self.tell(value, depth + 1)
                if isinstance(value, str) and as_it_is
                else figure(place.written(value))
            )
        return self._filled(text.template, told)

    def _filled(self, english: str, told: Mapping[str, str]) -> str:
        return taken_apart(self._templates.get(english, english)).filled(told)

    def _recognise(self, text: str, depth: int) -> str:
        """Return plain text in this language: as a sentence, as several, or as it is."""
        if not text or len(text) > _LONGEST or depth > _DEEPEST:
            return text
        return self._whole(text, depth) or self._pieces(text, depth) or figure(text)

    def _whole(self, text: str, depth: int) -> str:
        """Return a single sentence, with a full stop of its own or without; empty for none."""
        if found := self._cased(text, depth):
            return found
        if text.endswith(".") and (found := self._cased(text[:-1], depth)):
            return f"{found}."
        return ""

    def _cased(self, text: str, depth: int) -> str:
        """Return a sentence whose first letter may have been made large or small."""
        if found := self._matched(text, depth):
            return found
        first = text[:1]
        if found := self._matched(f"{first.swapcase()}{text[1:]}", depth):
            if first.isupper():
                return f"{found[:1].upper()}{found[1:]}"
            # German nouns keep their large letter wherever they stand.
            return found if self._language == "de" else f"{found[:1].lower()}{found[1:]}"
        return ""

    def _matched(self, text: str, depth: int) -> str:
        if text in self._templates and not taken_apart(text).places:
            return self._templates[text]
        for english in self._candidates(text):
            values = taken_apart(english).found_in(text)
            if values is not None:
                told = {name: self._recognised(value, depth + 1) for name, value in values.items()}
                return self._filled(english, told)
        return ""

    def _candidates(self, text: str) -> Iterator[str]:
        yield from self._by_word.get(text.partition(" ")[0], ())
        yield from self._loose

    def _pieces(self, text: str, depth: int) -> str:
        """Return sentences that were put together, if any of them is known; else empty."""
        for mark in _BETWEEN:
            pieces = text.split(mark, _MOST_PIECES)
            if len(pieces) == 1:
                continue
            told = [self._whole(piece, depth + 1) for piece in pieces]
            if any(told):
                return self._mark(mark).join(
                    new or self._recognised(old, depth + 1)
                    for new, old in zip(told, pieces, strict=True)
                )
        return ""

    def _mark(self, mark: str) -> str:
        """Return a mark as it is written: French keeps a space before all but the full stop."""
        return f"\u00a0{mark}" if self._language == "fr" and mark[0] in ";:" else mark

    def _enter(self, english: str) -> None:
        """Have a template with places found by its first word, where that is always the same."""
        template = taken_apart(english)
        if not template.places:
            return
        word, space, _ = template.literals[0].partition(" ")
        if space and word:
            self._by_word.setdefault(word, []).append(english)
        elif template.telling:
            self._loose.append(english)
