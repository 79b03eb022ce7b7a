"""`hems message`: the operator writes to the people of the homes."""

import argparse

from hems.commands.operator import OperatorError, Told, ask, part, when
from hems.commands.output import fail


class _Response(Told):
    lfdi: str
    status: int
    meaning: str
    at: int


class _Message(Told):
    id: str
    text: str
    priority: str
    start: int
    duration_s: int
    state: str
    responses: list[_Response]


class _Messages(Told):
    messages: list[_Message]


def run(options: argparse.Namespace) -> int:
    """Run `hems message`; returns the exit code."""
    try:
        if options.cancel is not None:
            place = f"/messages/{part(options.cancel)}/cancel"
            _print(ask(options.operator, "POST", place, _Message, {}))
        elif options.text is not None:
            _print(ask(options.operator, "POST", "/messages", _Message, _wish(options)))
        else:
            found = ask(options.operator, "GET", "/messages", _Messages).messages
            if not found:
                print("no messages yet")
            for message in found:
                _print(message)
    except OperatorError as error:
        return fail(str(error))
    return 0


def _wish(options: argparse.Namespace) -> dict[str, object]:
    wish: dict[str, object] = {
        "text": options.text,
        "priority": options.priority,
        "minutes": options.minutes,
    }
    if options.start is not None:
        wish["start"] = options.start
    if options.originator is not None:
        wish["originator"] = options.originator
    return wish


def _print(message: _Message) -> None:
    print(
        f"{message.id}  {message.state:<10} {message.priority}: {message.text!r}, "
        f"{when(message.start)} for {message.duration_s / 60:g} min"
    )
    for answer in message.responses:
        at, said = when(answer.at, "%H:%M:%S"), f"{answer.status} {answer.meaning}"
        print(f"    {at}  home {answer.lfdi[:8]}  {said}")
