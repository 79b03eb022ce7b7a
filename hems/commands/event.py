"""`hems event`: the operator dispatches, lists and cancels grid events at the head-end."""

import argparse
import json
import math
import urllib.error
import urllib.parse
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from hems import units
from hems.commands.fetch import NoAnswerError, fetch
from hems.commands.output import fail

_NONSENSE = "the head-end answers, but not as a head-end does"


class OperatorError(Exception):
    """The head-end could not be asked, or refused; `str()` is one sentence."""


class Operator(BaseModel):
    """Where the head-end's operator door is, as it wrote it down at its start."""

    url: str
    token: str


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Answer(_Told):
    """One response of a home to an event; `at` in server's time, epoch seconds."""

    status: int
    meaning: str
    at: int
    received_at: float


class HomeAnswers(_Told):
    """What one home answered to an event."""

    lfdi: str
    told: bool
    responses: list[Answer]


class Event(_Told):
    """An event as the head-end tells it; times are epoch seconds, amounts W or Wh."""

    id: str
    program: str
    state: str
    start: int
    duration_s: int
    asks: dict[str, float]
    accepted_at: float
    homes: list[HomeAnswers]


class _Events(_Told):
    events: list[Event]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator wants dispatched; amounts in W and Wh, times in s."""

    key: str
    amount: float
    duration_s: float
    start_in_s: float
    randomize_start_s: float
    program: str | None

    @classmethod
    def of(cls, options: argparse.Namespace) -> Self:
        """Read the wish from the command line.

        Raises:
            UnitError: An amount or time is not one, or one is missing.
        """
        asked = {
            "limit_import_w": (options.limit_import, units.power_w),
            "limit_export_w": (options.limit_export, units.power_w),
            "limit_load_w": (options.limit_load, units.power_w),
            "limit_generation_w": (options.limit_generation, units.power_w),
            "shed_w": (options.shed, units.power_w),
            "reduce_energy_wh": (options.reduce_energy, units.energy_wh),
        }
        given = {key: parse(text) for key, (text, parse) in asked.items() if text is not None}
        if not given:
            raise units.UnitError("say what is asked: --limit-import, --shed, ... (see --help)")
        if options.minutes is None:
            raise units.UnitError("say how long the event lasts: --minutes N")
        if not math.isfinite(options.minutes):
            raise units.UnitError(f"--minutes {options.minutes} is not a number of minutes")
        ((key, amount),) = given.items()
        return cls(
            key=key,
            amount=amount,
            duration_s=options.minutes * 60.0,
            start_in_s=units.duration_s(options.start),
            randomize_start_s=units.duration_s(options.randomize_start),
            program=options.program,
        )


def send(operator: Path, wish: Wish) -> int:
    """Dispatch an event and print it; returns the exit code."""
    body: dict[str, str | float | int] = {
        wish.key: wish.amount,
        "seconds": round(wish.duration_s),
        "randomize_start_s": round(wish.randomize_start_s),
    }
    if wish.start_in_s > 0:  # without a start it begins at once, in the second that runs
        body["start"] = f"+{math.ceil(wish.start_in_s)}s"
    if wish.program is not None:
        body["program"] = wish.program
    try:
        event = Event.model_validate_json(_ask(operator, "POST", "/events", json.dumps(body)))
    except OperatorError as error:
        return fail(str(error))
    except ValidationError:
        return fail(_NONSENSE)
    print(_line(event))
    return 0


def show(operator: Path, event_id: str | None) -> int:
    """Print all events, or one, with what each home answered; returns the exit code."""
    try:
        if event_id is None:
            events = _Events.model_validate_json(_ask(operator, "GET", "/events")).events
        else:
            events = [Event.model_validate_json(_ask(operator, "GET", _place(event_id)))]
    except OperatorError as error:
        return fail(str(error))
    except ValidationError:
        return fail(_NONSENSE)
    if not events:
        print("no events yet")
    for event in events:
        print(_line(event))
        for home in event.homes:
            for answer in home.responses:
                when = datetime.fromtimestamp(answer.at, UTC)
                said = f"{answer.status} {answer.meaning}"
                print(f"    {when:%H:%M:%S}Z  home {home.lfdi[:8]}  {said}")
    return 0


def cancel(operator: Path, event_id: str | None) -> int:
    """Cancel an event; returns the exit code."""
    if event_id is None:
        return fail("say which event: hems event cancel ID (hems event list shows them)")
    try:
        event = Event.model_validate_json(
            _ask(operator, "POST", f"{_place(event_id)}/cancel", "{}")
        )
    except OperatorError as error:
        return fail(str(error))
    except ValidationError:
        return fail(_NONSENSE)
    print(_line(event))
    return 0


def _place(event_id: str) -> str:
    return f"/events/{urllib.parse.quote(event_id, safe='')}"


def _line(event: Event) -> str:
    start = datetime.fromtimestamp(event.start, UTC)
    minutes = event.duration_s / 60.0
    asks = ", ".join(f"{key} {amount:g}" for key, amount in event.asks.items())
    return (
        f"{event.id}  {event.state:<10} {event.program}: {asks}, "
        f"{start:%Y-%m-%d %H:%M:%S}Z for {minutes:g} min"
    )


def _ask(operator: Path, method: str, path: str, body: str | None = None) -> bytes:
    try:
        door = Operator.model_validate_json(operator.read_text(encoding="utf-8"))
    except OSError as error:
        raise OperatorError(
            f"{operator}: cannot be read ({error.strerror}); is a head-end running? "
            "name its file with --operator"
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise OperatorError(f"{operator}: is not an operator file of a head-end") from error
    headers = {"Authorization": f"Bearer {door.token}", "Content-Type": "application/json"}
    sent = None if body is None else body.encode()
    try:
        return fetch(door.url + path, method=method, body=sent, headers=headers)
    except urllib.error.HTTPError as error:
        with error:
            raise OperatorError(_refusal(error.code, error.reason, error.read())) from error
    except NoAnswerError as error:
        raise OperatorError(f"the head-end at {door.url} does not answer: {error}") from error


class _Refusal(BaseModel):
    error: str


def _refusal(code: int, reason: str, body: bytes) -> str:
    try:
        return _Refusal.model_validate_json(body).error
    except ValidationError:
        return f"the head-end answered {code} {reason}"
