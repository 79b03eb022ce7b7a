"""What a row of the security log says. Pure.

A sentence is kept with the template that it was made of, so that it can be told in whatever
language it is read in later.
"""

from collections.abc import Mapping
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from der.sentence import Quantity, Sentence, Value
from hems.emg.threats.severity import Severity
from hems.security_event import SecurityEvent

LONGEST: Final = 400
"""Characters of what somebody else has a say in: a name, a path, an address."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Figure(_Kept):
    """A quantity, as it is kept."""

    figure: str
    unit: str


class Words(_Kept):
    """A sentence, as it is kept.

    Attributes:
        template: As `der.sentence.Sentence` has it.
        values: What is filled in.
    """

    template: str
    values: "Mapping[str, Words | Figure | str | int | float]" = {}

    @classmethod
    def of(cls, text: str) -> "Words | str":
        """Return a text as it is kept."""
        if not isinstance(text, Sentence):
            return clean(text)
        return cls(template=text.template, values={k: _kept(v) for k, v in text.values.items()})

    def text(self) -> str:
        """Return the sentence; what its template has no value for leaves the template as it is."""
        values: dict[str, Value] = {name: _text(value) for name, value in self.values.items()}
        try:
            return Sentence(self.template, values)
        except (KeyError, IndexError, ValueError):
            return self.template


Text = Words | str
"""A sentence, or text that was none."""


class Entry(_Kept):
    """What a row says.

    Attributes:
        kind: Of what kind the event is.
        severity: How grave.
        about: What it concerns.
        source: From where it came.
        text: In one sentence.
        times: How many events the row stands for.
        since: When the first of these was, UTC epoch seconds; None for the row's own time.
        threat: Which rule found it (`hems.emg.threats.rules.finding.Threat`); empty for none.
        evidence: Numbers of the rows that it was found by.
        advice: What the owner should do, in one sentence; empty for nothing.
        done: What the hub did about it, in one sentence; empty for nothing.
    """

    kind: str
    severity: str
    about: str
    source: str
    text: Text
    times: int = 1
    since: float | None = None
    threat: str = ""
    evidence: tuple[int, ...] = ()
    advice: Text = ""
    done: Text = ""

    @classmethod
    def of(
        cls,
        event: SecurityEvent,
        severity: Severity,
        *,
        times: int = 1,
        since: float | None = None,
    ) -> Self:
        """Return what a row says of an event."""
        return cls(
            kind=event.kind.value,
            severity=severity.value,
            about=clean(event.about),
            source=clean(event.source),
            text=Words.of(event.text),
            times=times,
            since=since,
        )


def clean(text: str) -> str:
    """Return what somebody else said, without what does not print, and not at any length."""
    return "".join(char if char.isprintable() else "?" for char in text[:LONGEST])


def told(text: Text) -> str:
    """Return what was kept as a sentence again."""
    return text.text() if isinstance(text, Words) else text


def _kept(value: Value) -> "Words | Figure | str | int | float":
    if isinstance(value, Quantity):
        return Figure(figure=value.figure, unit=value.unit)
    return Words.of(value) if isinstance(value, str) else value


def _text(value: "Words | Figure | str | int | float") -> Value:
    if isinstance(value, Words):
        return value.text()
    return Quantity(value.figure, value.unit) if isinstance(value, Figure) else value
