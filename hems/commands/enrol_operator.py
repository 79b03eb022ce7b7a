"""`hems headend enrol-code|enrolments|approve|refuse|revoke`, and who is approved before."""

import argparse
from pathlib import Path

import segno

from hems.commands import pre_approve
from hems.commands.operator import OperatorError, Told, ask, part, when
from hems.commands.output import fail


class _Code(Told):
    id: str
    text: str
    expires_at: float | None
    pin: str | None


class _Enrolment(Told):
    id: str
    state: str
    serial: str
    asked_at: float
    lfdi: str
    replaces: str


class _Enrolments(Told):
    enrolments: list[_Enrolment]


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    try:
        match options.what:
            case "code":
                return _code(options)
            case "list":
                return _list(options)
            case "revoke":
                return _revoke(options)
            case "pre-approve" | "pre-approved":
                return pre_approve.run(options)
            case _:
                return _decide(options)
    except OperatorError as error:
        return fail(str(error))


def _code(options: argparse.Namespace) -> int:
    names = ("pin", "edition", "serial", "hours", "manufacturer")
    order = {name: value for name in names if (value := getattr(options, name))}
    made = ask(options.operator, "POST", "/enrolment-codes", _Code, order)
    print(made.text)
    if made.expires_at is not None:
        print(f"PIN {made.pin}; good until {when(made.expires_at)}, once")
    return 0 if options.qr is None else _draw(made.text, options.qr)


def _draw(text: str, path: Path) -> int:
    """Write a code as a QR code; black on white, for that is what cameras read best."""
    try:
        segno.make(text.upper(), error="m", micro=False).save(str(path), scale=8, border=4)
    except (OSError, ValueError) as error:
        return fail(f"{path}: cannot be written: {error}")
    print(f"{path}: the same as a QR code; whoever sees it can use it")
    return 0


def _list(options: argparse.Namespace) -> int:
    found = ask(options.operator, "GET", "/enrolments", _Enrolments).enrolments
    if not found:
        print("no home has asked for a certificate yet")
    for each in found:
        who = each.lfdi or f"hardware {each.serial}"
        renewed = f", in the place of {each.replaces}" if each.replaces else ""
        print(f"{each.id}  {each.state}  {who}{renewed}, asked {when(each.asked_at)}")
    return 0


def _revoke(options: argparse.Namespace) -> int:
    path = f"/homes/{part(options.lfdi)}/revoke"
    for each in ask(options.operator, "POST", path, _Enrolments, {}).enrolments:
        print(f"{each.id}  {each.state}  {each.lfdi}")
    return 0


def _decide(options: argparse.Namespace) -> int:
    path = f"/enrolments/{part(options.id)}/{options.what}"
    pin = getattr(options, "pin", None)
    done = ask(options.operator, "POST", path, _Enrolment, {"pin": pin} if pin else {})
    print(f"{done.id}  {done.state}")
    return 0
