"""`hems people` and `hems setup-code`: who may use the home, asked of the running hub."""

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hems import units
from hems.access import private_file
from hems.commands.output import fail
from hems.commands.page import Page, PageError, Told
from hems.commands.presence import code_path, page_of
from hems.commands.typed_password import PasswordError, typed_password
from hems.commands.way_in import home_file
from hems.settings import devices_file
from hems.settings.toml_file import ConfigError, read_toml

_URL: Final = "http://127.0.0.1:8080"


class _Person(Told):
    id: int
    name: str
    role: str
    until: float | None
    ended: bool
    sessions: int


class _People(Told):
    people: list[_Person]


class _Me(Told):
    accounts: bool
    name: str | None


class _Token(Told):
    id: int
    name: str
    role: str
    until: float | None
    used_at: float | None
    ended: bool
    rights: list[str]
    network: str


class _Consent(Told):
    id: int
    person: int
    name: str
    purpose: str
    rights: list[str]
    until: float
    holds: bool


class _Consents(Told):
    consents: list[_Consent]


class _Tokens(Told):
    tokens: list[_Token]


class _Made(Told):
    token: str


class _Deed(Told):
    seq: int
    at: float
    who: str | None
    role: str | None
    way: str | None
    origin: str | None
    did: str | None
    about: str | None
    outcome: int | None


class _Trail(Told):
    deeds: list[_Deed]


class _Check(Told):
    rows: int
    broken_at: int | None
    link: str
    known: bool | None


def run(options: argparse.Namespace) -> int:
    """Do what is asked about people; returns the exit code.

    Raises:
        UnitError: A span is none.
    """
    page = Page(getattr(options, "url", None) or page_of(_devices(None)) or _URL)
    try:
        return _ACTIONS[options.action](page, options)
    except PageError as error:
        return fail(str(error))
    except (OSError, PasswordError) as error:
        return fail(str(error))


def setup_code(folder: Path | None) -> int:
    """Print the code by which the first account can be made; returns the exit code."""
    path = code_path(_devices(folder))
    try:
        print(private_file.read(path).strip())
    except FileNotFoundError:
        return fail("there is no set-up code: the home has accounts, or no hub has started here")
    except PermissionError:
        return fail(f"{path}: cannot be read: run this as the hub's user")
    except (OSError, private_file.ExposedError) as error:
        return fail(str(error))
    return 0


def _list(page: Page, _options: argparse.Namespace) -> int:
    people = page.get("/api/people", _People).people
    if not people:
        print("no accounts: whoever uses this machine is at home here")
    for person in people:
        logged_in = f", logged in {person.sessions}x" if person.sessions else ""
        print(f"{person.name:<24} {person.role:<10} {_end(person.until, person.ended)}{logged_in}")
    for token in page.get("/api/tokens", _Tokens).tokens:
        used = "never used" if token.used_at is None else f"used {_time(token.used_at)}"
        rights = ",".join(right for right in token.rights if right != "anybody")
        held = f", {rights}" + (f" from {token.network}" if token.network else "")
        lasts = _end(token.until, token.ended)
        print(f"{token.name:<24} {token.role:<10} token, {lasts}, {used}{held}")
    for each in page.get("/api/consents", _Consents).consents:
        if each.holds:
            rights = ",".join(each.rights)
            lasts = _end(each.until, ended=False)
            print(f"{each.name:<24} {each.purpose:<10} consent {each.id}, {lasts}: {rights}")
    return 0


def _add(page: Page, options: argparse.Namespace) -> int:
    name, password = options.name, typed_password(options.password_file)
    if page.get("/api/me", _Me).accounts:
        body = {
            "name": name,
            "role": options.role,
            "password": password,
            "until": _until(page, options),
        }
        page.post("/api/people", body)
    else:
        page.post("/api/first", {"name": name, "password": password})
        print("the first account of a home is an owner's")
    print(f"{name} can log in now")
    return 0


def _change(page: Page, options: argparse.Namespace) -> int:
    person = _named(page, options.name)
    page.put(f"/api/people/{person.id}", {"role": options.role, "until": _until(page, options)})
    return 0


def _remove(page: Page, options: argparse.Namespace) -> int:
    page.delete(f"/api/people/{_named(page, options.name).id}")
    return 0


def _recover(page: Page, options: argparse.Namespace) -> int:
    people = page.get("/api/people", _People).people
    owners = [person for person in people if person.role == "owner"]
    if options.name is None and len(owners) != 1:
        return fail("name the account: " + (", ".join(p.name for p in people) or "there is none"))
    person = owners[0] if options.name is None else _named(page, options.name)
    page.post(f"/api/people/{person.id}/recover", {"new": typed_password(options.password_file)})
    print(f"{person.name} can log in with the new password, and is logged out everywhere")
    print("codes and passkeys count no more; all owners are told")
    return 0


def _token(page: Page, options: argparse.Namespace) -> int:
    if options.end:
        for token in page.get("/api/tokens", _Tokens).tokens:
            if token.name == options.name:
                page.delete(f"/api/tokens/{token.id}")
                return 0
        return fail(f"there is no token {options.name!r}")
    body = {
        "name": options.name,
        "role": options.role,
        "until": _until(page, options),
        "rights": None if options.rights is None else _listed(options.rights),
        "network": options.network,
        "person": None if options.of is None else _named(page, options.of).id,
    }
    print(page.made("/api/tokens", body, _Made).token)
    return 0


def _consent(page: Page, options: argparse.Namespace) -> int:
    person = _named(page, options.name)
    if options.end:
        for each in page.get("/api/consents", _Consents).consents:
            if each.holds and each.person == person.id:
                page.delete(f"/api/consents/{each.id}")
        return 0
    body = {
        "person": person.id,
        "purpose": options.purpose,
        "rights": _listed(options.rights),
        "until": _until(page, options),
    }
    page.post("/api/consents", body)
    return 0


def _audit(page: Page, options: argparse.Namespace) -> int:
    if options.verify:
        check = page.get(f"/api/trail/check?link={options.link}", _Check)
        if check.broken_at is not None:
            return fail(f"row {check.broken_at} is not as it was written; those before it are")
        if check.known is False:
            return fail(f"all {check.rows} rows hold together, but that link is none of theirs")
        print(f"{check.rows} rows, as they were written; link {check.link}")
        return 0
    for deed in reversed(page.get(f"/api/trail?most={options.most}", _Trail).deeds):
        who = f"{deed.who or 'somebody'} ({deed.role or 'unknown'}, {deed.origin})"
        said = f"{who} {deed.did} {deed.about}".rstrip() + f": {deed.outcome}"
        print(f"{deed.seq:>6} {_time(deed.at)} {said if deed.did else 'too old to say more'}")
    return 0


_ACTIONS: Final[Mapping[str, Callable[[Page, argparse.Namespace], int]]] = {
    "list": _list,
    "add": _add,
    "change": _change,
    "remove": _remove,
    "recover": _recover,
    "token": _token,
    "consent": _consent,
    "audit": _audit,
}


def _named(page: Page, name: str) -> _Person:
    for person in page.get("/api/people", _People).people:
        if person.name.casefold() == name.casefold():
            return person
    raise PageError(f"there is no account {name!r}")


def _listed(rights: str) -> list[str]:
    return [each.strip() for each in rights.split(",") if each.strip()]


def _until(page: Page, options: argparse.Namespace) -> float | None:
    return None if options.until is None else page.after(units.duration_s(options.until))


def _devices(folder: Path | None) -> Path:
    path = home_file() if folder is None else folder / home_file().name
    try:
        return devices_file.place(read_toml(path), path)
    except ConfigError:  # none there: perhaps a home that was set up on its page
        return path.with_name(devices_file.DEFAULT).absolute()


def _end(until: float | None, ended: bool) -> str:
    if until is None:
        return "no end"
    return f"{'ended' if ended else 'until'} {_time(until)}"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
