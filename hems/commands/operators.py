"""`hems headend operator` and `hems headend trail`: who works at the utility, and what they did."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from hems.access import private_file
from hems.commands.operator import (
    Operator,
    OperatorError,
    Told,
    ask,
    ask_file,
    door_of,
    part,
    plain,
    when,
)
from hems.commands.output import fail
from hems.commands.typed_password import PasswordError, typed_password


class _Operator(Told):
    name: str
    roles: list[str]
    made_at: float
    made_by: str


class _Operators(Told):
    operators: list[_Operator]


class _Token(Told):
    id: str
    label: str
    made_at: float
    until: float | None
    last_used: float | None


class _Tokens(Told):
    tokens: list[_Token]


class _NewToken(_Token):
    token: str


class _Nothing(Told):
    pass


class _Entry(Told):
    id: int
    at: float
    who: str
    roles: list[str]
    origin: str
    did: str
    about: str
    outcome: int | None
    made: str
    reason: str


class _Trail(Told):
    entries: list[_Entry]


class _Verdict(Told):
    rows: int
    whole: bool
    broken_at: int | None
    link: str


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    try:
        return _ACTIONS[options.what](options)
    except (OperatorError, PasswordError, private_file.ExposedError) as error:
        return fail(str(error))
    except UnicodeDecodeError:
        return fail(f"{options.password_file}: is not UTF-8 text")
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}")


def _list(options: argparse.Namespace) -> int:
    found = ask(options.operator, "GET", "/operators", _Operators).operators
    for each in found:
        _print(each)
    if not found:
        print("no operators yet: hems headend operator add NAME --role dispatcher")
    return 0


def _add(options: argparse.Namespace) -> int:
    wish = {
        "name": options.name,
        "roles": options.roles,
        "password": typed_password(options.password_file),
    }
    _print(ask(options.operator, "POST", "/operators", _Operator, wish))
    return 0


def _set_roles(options: argparse.Namespace) -> int:
    _print(ask(options.operator, "PUT", _place(options), _Operator, {"roles": options.roles}))
    return 0


def _set_password(options: argparse.Namespace) -> int:
    wish = {"password": typed_password(options.password_file)}
    ask(options.operator, "PUT", f"{_place(options)}/password", _Nothing, wish)
    print(f"{options.name} has a new password and is logged out everywhere")
    return 0


def _remove(options: argparse.Namespace) -> int:
    gone = ask(options.operator, "DELETE", _place(options), _Operator)
    print(f"{plain(gone.name)} is no operator any more")
    return 0


def _token(options: argparse.Namespace) -> int:
    place = f"{_place(options)}/tokens"
    if options.end is not None:
        ask(options.operator, "DELETE", f"{place}/{part(options.end)}", _Nothing)
        print(f"token {options.end} lets nobody in any more")
        return 0
    if options.label is None:
        for each in ask(options.operator, "GET", place, _Tokens).tokens:
            until = "" if each.until is None else f" until {when(each.until)}"
            used = "never used" if each.last_used is None else f"used {when(each.last_used)}"
            print(f"{each.id}  {plain(each.label)}{until}, {used}")
        return 0
    wish = {"label": options.label, "days": options.days}
    made = ask(options.operator, "POST", place, _NewToken, wish)
    if options.out is None:
        print(f"{made.id}  {made.token}")
        return 0
    url = options.url or door_of(options.operator).url
    private_file.write(options.out, Operator(url=url, token=made.token).model_dump_json())
    print(f"{made.id}  written to {options.out}")
    return 0


def _trail(options: argparse.Namespace) -> int:
    if options.check:
        verdict = ask(options.operator, "GET", "/trail/check", _Verdict)
        if not verdict.whole:
            return fail(f"row {verdict.broken_at} is not as it was written; those before it are")
        print(f"{verdict.rows} rows, as they were written; the last link is {verdict.link}")
        return 0
    if options.csv is not None:
        return _export(options.operator, options.csv)
    query = {"limit": options.limit, **({"who": options.who} if options.who else {})}
    found = ask(options.operator, "GET", f"/trail?{urlencode(query)}", _Trail).entries
    for each in reversed(found):
        made = f" -> {each.made}" if each.made else ""
        why = f": {plain(each.reason)}" if each.reason else ""
        outcome = "not known" if each.outcome is None else f"{each.outcome}"
        who = f"{plain(each.who)} ({', '.join(each.roles) or 'nobody'}, {each.origin})"
        print(f"{each.id:>6} {when(each.at)} {who} {each.did} {plain(each.about)}".rstrip(), end="")
        print(f"  {outcome}{made}{why}")
    return 0


def _export(operator: Path, file: Path) -> int:
    draft = file.with_name(f"{file.name}.part")
    draft.write_bytes(ask_file(operator, "/trail/export"))
    draft.replace(file)
    print(f"written to {file}")
    return 0


_ACTIONS: Final[Mapping[str, Callable[[argparse.Namespace], int]]] = {
    "list": _list,
    "add": _add,
    "role": _set_roles,
    "password": _set_password,
    "remove": _remove,
    "token": _token,
    "trail": _trail,
}


def _place(options: argparse.Namespace) -> str:
    return f"/operators/{part(options.name)}"


def _print(each: _Operator) -> None:
    made = f"made {when(each.made_at)} by {plain(each.made_by)}"
    print(f"{plain(each.name)}  {', '.join(each.roles)}  {made}")
