"""`hems event`: the operator dispatches, lists and cancels grid events at the head-end."""

import argparse
from pathlib import Path

from pydantic import RootModel

from hems import units
from hems.commands import event_outcome, event_wish, proposals
from hems.commands.operator import Operator, OperatorError, Told, ask, part, when
from hems.commands.order import order
from hems.commands.output import fail

__all__ = ["Answer", "Event", "HomeAnswers", "Operator", "run"]

_Asked = float | str | list[float]


class Answer(Told):
    """One response of a home to an event; `at` in server's time, epoch seconds."""

    status: int
    meaning: str
    at: int
    received_at: float


class HomeAnswers(Told):
    """What one home answered to an event."""

    lfdi: str
    told: bool
    responses: list[Answer]


class Event(Told):
    """An event as the head-end tells it; times are epoch seconds, amounts W or Wh."""

    id: str
    program: str
    group: str | None = None
    state: str
    start: int
    duration_s: int
    asks: dict[str, _Asked]
    accepted_at: float
    reached: int
    homes: list[HomeAnswers]


class _Made(RootModel[Event | proposals.Proposal]):
    """What comes of an order: an event, or a proposal where a second person must agree."""


class _Events(Told):
    events: list[Event]


class _Default(Told):
    program: str
    asks: dict[str, _Asked]
    set_grad_w: float | None


def run(options: argparse.Namespace) -> int:
    """Run `hems event`; returns the exit code.

    Raises:
        UnitError: An amount or time is not one, or one is missing.
    """
    try:
        match options.action:
            case "list":
                _show(options.operator, options.id)
            case "cancel":
                if options.id is None:
                    return fail(
                        "say which event: hems event cancel ID (hems event list shows them)"
                    )
                place = f"{_place(options.id)}/cancel"
                why = {"reason": options.reason}
                print(_line(order(options, place, Event, why)))
            case "default":
                _set_default(options)
            case "progress" | "settle" | "availability":
                return event_outcome.run(options)
            case "proposals" | "confirm" | "withdraw":
                return proposals.run(options)
            case _:
                made = order(options, "/events", _Made, event_wish.body(options)).root
                print(_line(made) if isinstance(made, Event) else proposals.line(made))
    except OperatorError as error:
        return fail(str(error))
    return 0


def _set_default(options: argparse.Namespace) -> None:
    """Set what holds in a programme while no event does; nothing asked means nothing holds."""
    if options.program is None:
        raise units.UnitError("say which programme's default: --program NAME")
    wish = event_wish.asks(options)
    if options.gradient is not None:
        wish["set_grad_w"] = event_wish.number(options.gradient)
    place = f"/programs/{part(options.program)}/default"
    default = ask(options.operator, "PUT", place, _Default, wish)
    gradient = "" if default.set_grad_w is None else f", {default.set_grad_w:g} %/s"
    print(f"default of {default.program}: {_asks(default.asks) or 'nothing'}{gradient}")


def _show(operator: Path, event_id: str | None) -> None:
    """Print all events, or one, with what each home answered."""
    if event_id is None:
        events = ask(operator, "GET", "/events", _Events).events
    else:
        events = [ask(operator, "GET", _place(event_id), Event)]
    if not events:
        print("no events yet")
    for event in events:
        print(_line(event))
        for home in event.homes:
            for answer in home.responses:
                said = f"{answer.status} {answer.meaning}"
                print(f"    {when(answer.at, '%H:%M:%S')}  home {home.lfdi[:8]}  {said}")
        if event.reached > len(event.homes):
            more = event.reached - len(event.homes)
            print(f"    {more} more homes: hems event progress {event.id}")


def _place(event_id: str) -> str:
    return f"/events/{part(event_id)}"


def _line(event: Event) -> str:
    minutes = event.duration_s / 60.0
    to = event.program if event.group is None else f"{event.program} for {event.group}"
    return (
        f"{event.id}  {event.state:<10} {to}: {_asks(event.asks)}, "
        f"{when(event.start)} for {minutes:g} min"
    )


def _asks(asks: dict[str, _Asked]) -> str:
    return ", ".join(f"{key} {_words(value)}" for key, value in asks.items())


def _words(value: _Asked) -> str:
    if isinstance(value, list):
        return ":".join(f"{each:g}" for each in value)
    return f"curve {value[:8]}" if isinstance(value, str) else f"{value:g}"
