"""Attacks on second factors: codes guessed or used twice, passkeys that prove nothing."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qs, urlsplit

import aiohttp
from pydantic import BaseModel, ConfigDict

from hems.access.passkeys import Asked, Signed
from hems.access.rights import Role
from hems.access.totp import STEP_S, code_at
from tests.hems.access.authenticator import PRESENT, Phone, text
from tests.security.attack import Attack, Entry, Kind, Where
from tests.security.street import Street
from tests.security.visits import Browser, log_in

_A_DAY_S: Final = 86_400.0
_GUESSES: Final = 12
_AT_ONCE: Final = 6


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _App(_Read):
    address: str


class _Codes(_Read):
    codes: list[str]


class _ToSign(_Read):
    challenge: str
    site: str
    credentials: list[str]
    handle: str
    name: str

    @property
    def asked(self) -> Asked:
        """The same, as the phone takes it."""
        return Asked(
            self.challenge, self.site, tuple(self.credentials), handle=self.handle, name=self.name
        )


@dataclass
class Guarded:
    """Somebody new with a password and a second factor.

    Attributes:
        name: Theirs.
        password: Theirs.
        secret: Of their app; empty for none.
        codes: Their recovery codes.
        phone: What holds their passkey; None for none.
    """

    name: str
    password: str
    secret: str = ""
    codes: list[str] = field(default_factory=list)
    phone: Phone | None = None

    def order(self, code: str = "") -> dict[str, object]:
        """Return what logs them in by password and code."""
        return {"name": self.name, "password": self.password, "code": code}

    def fresh(self) -> str:
        """Return a code of the app that has not been used: that of the next step counts, too."""
        return code_at(self.secret, time.time() + STEP_S)


def _by_name(street: Street) -> Mapping[str, str]:
    """Return the headers of a browser in which the page is open by a name, as passkeys need it."""
    host = f"localhost:{street.page.port}"
    return {"Host": host, "Origin": f"http://{host}"}


async def _asked(session: aiohttp.ClientSession, path: str) -> Asked:
    async with session.get(path) as answer:
        assert answer.ok, await answer.text()
        return _ToSign.model_validate_json(await answer.read()).asked


async def guarded(street: Street, *, passkey: bool = False) -> Guarded:
    """Have the owner make an account, and its person set up an app or a passkey."""
    who = Guarded(f"Guarded {secrets.token_hex(4)}", secrets.token_urlsafe(18))
    async with Browser(street, "127.0.0.1") as owner:
        await log_in(owner, street.people[Role.OWNER])
        order: dict[str, object] = {"name": who.name, "password": who.password}
        order |= {"role": Role.HOUSEHOLD.value, "until": time.time() + _A_DAY_S}
        async with owner.post("/api/people", json=order) as answer:
            assert answer.status == 201, await answer.text()
    headers = _by_name(street) if passkey else {}
    async with Browser(street, "127.0.0.1", headers) as own:
        async with own.post("/api/login", json=who.order()) as answer:
            assert answer.ok, await answer.text()
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
        # Its cookie is of another name of the hub than the one that is connected to.
        own.headers["Cookie"] = cookie
        await (_with_passkey(street, own, who) if passkey else _with_app(own, who))
    return who


async def _with_app(own: aiohttp.ClientSession, who: Guarded) -> None:
    async with own.post("/api/me/app") as answer:
        assert answer.ok, await answer.text()
        address = _App.model_validate_json(await answer.read()).address
    who.secret = parse_qs(urlsplit(address).query)["secret"][0]
    async with own.put("/api/me/app", json={"code": code_at(who.secret, time.time())}) as answer:
        assert answer.ok, await answer.text()
        who.codes = _Codes.model_validate_json(await answer.read()).codes


async def _with_passkey(street: Street, own: aiohttp.ClientSession, who: Guarded) -> None:
    phone = Phone(f"http://localhost:{street.page.port}", credential=secrets.token_bytes(16))
    made = phone.make(await _asked(own, "/api/me/passkeys"))
    order = {
        "name": "Phone",
        "credential": made.credential,
        "client_data": made.client_data,
        "attestation": made.attestation,
    }
    async with own.post("/api/me/passkeys", json=order) as answer:
        assert answer.ok, await answer.text()
        who.codes = _Codes.model_validate_json(await answer.read()).codes
    who.phone = phone


async def _logs_in(street: Street, address: str, order: Mapping[str, object]) -> str:
    async with (
        Browser(street, address) as session,
        session.post("/api/login", json=dict(order)) as answer,
    ):
        return f"{answer.status} {await answer.text()}"


async def _rightly_by_app(street: Street) -> str:
    who = await guarded(street)
    return await _logs_in(street, "127.0.0.1", who.order(who.fresh()))


async def replayed(street: Street) -> str:
    """Use a code that was looked over the shoulder, once its owner has used it."""
    who = await guarded(street)
    code = who.fresh()
    first = await _logs_in(street, "127.0.0.1", who.order(code))
    assert first.startswith("200 "), first[:100]
    return await _logs_in(street, street.address(), who.order(code))


async def replayed_at_once(street: Street) -> str:
    """Use one code several times at the same moment."""
    who = await guarded(street)
    order, address = who.order(who.fresh()), street.address()
    answers = await asyncio.gather(*(_logs_in(street, address, order) for _ in range(_AT_ONCE)))
    good = sum(answer.startswith("200 ") for answer in answers)
    assert good == 1, f"the code let {good} in: {[answer[:4] for answer in answers]}"
    return f"1 of {len(answers)} let in"


async def guessed(street: Street) -> str:
    """Guess codes for somebody whose password is known."""
    who, address = await guarded(street), street.address()
    wrong = f"{(int(who.fresh()) + 1) % 1_000_000:06d}"
    ended = [
        (await _logs_in(street, address, who.order(wrong))).partition(" ")[0]
        for _ in range(_GUESSES)
    ]
    assert set(ended) <= {"403", "429"}, f"answers: {ended}"
    right = await _logs_in(street, address, who.order(who.fresh()))
    assert right.startswith("429 "), f"the right one was tried after them: {right[:60]}"
    return f"{ended.count('403')} wrong, then {ended.count('429')} not even tried (429)"


async def guessed_from_everywhere(street: Street) -> str:
    """The same, each guess from another address."""
    who = await guarded(street)
    wrong = f"{(int(who.fresh()) + 1) % 1_000_000:06d}"
    ended = [
        (await _logs_in(street, street.address(), who.order(wrong))).partition(" ")[0]
        for _ in range(5 * _GUESSES)
    ]
    assert set(ended) <= {"403", "429"}, f"answers: {ended}"
    return f"{ended.count('403')} wrong, then {ended.count('429')} not even tried (429)"


async def left_out(street: Street) -> str:
    """Give the password and no code."""
    who = await guarded(street)
    return await _logs_in(street, street.address(), who.order())


async def old_code(street: Street) -> str:
    """Use the code that the app showed five minutes ago."""
    who = await guarded(street)
    return await _logs_in(
        street, street.address(), who.order(code_at(who.secret, time.time() - 300))
    )


async def recovery_twice(street: Street) -> str:
    """Use a recovery code that has been used."""
    who = await guarded(street)
    first = await _logs_in(street, "127.0.0.1", who.order(who.codes[0]))
    assert first.startswith("200 "), first[:100]
    return await _logs_in(street, street.address(), who.order(who.codes[0]))


async def _signs(session: aiohttp.ClientSession, signed: Signed) -> str:
    order = {
        "credential": signed.credential,
        "client_data": signed.client_data,
        "authenticator_data": signed.authenticator_data,
        "signature": signed.signature,
    }
    async with session.post("/api/login/passkey", json=order) as answer:
        return f"{answer.status} {await answer.text()}"


Spoil = Callable[[Phone, Asked], Signed]


def by_passkey(spoil: Spoil) -> Callable[[Street], Awaitable[str]]:
    """Log in by what a phone signs that is spoiled."""

    async def attempt(street: Street) -> str:
        who = await guarded(street, passkey=True)
        assert who.phone is not None
        async with Browser(street, street.address(), _by_name(street)) as session:
            asked = await _asked(session, "/api/login/passkey")
            return await _signs(session, spoil(who.phone, asked))

    return attempt


async def passkey_replayed(street: Street) -> str:
    """Send once more what a phone has signed, as it went over the line."""
    who = await guarded(street, passkey=True)
    assert who.phone is not None
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(Browser(street, "127.0.0.1", _by_name(street)))
        there = await stack.enter_async_context(Browser(street, street.address(), _by_name(street)))
        signed = who.phone.sign(await _asked(here, "/api/login/passkey"))
        first = await _signs(here, signed)
        assert first.startswith("200 "), first[:200]
        return await _signs(there, signed)


async def passkey_to_prove(street: Street) -> str:
    """Use for the proof of a session what was signed for a login."""
    who = await guarded(street, passkey=True)
    assert who.phone is not None
    async with Browser(street, street.address(), _by_name(street)) as session:
        signed = who.phone.sign(await _asked(session, "/api/login/passkey"))
        async with session.post("/api/login", json=who.order(who.codes[0])) as answer:
            assert answer.ok, await answer.text()
            session.headers["Cookie"] = answer.headers["Set-Cookie"].partition(";")[0]
        order = {
            "passkey": {
                "credential": signed.credential,
                "client_data": signed.client_data,
                "authenticator_data": signed.authenticator_data,
                "signature": signed.signature,
            }
        }
        async with session.post("/api/me/proof", json=order) as answer:
            return f"{answer.status} {await answer.text()}"


async def _rightly_by_passkey(street: Street) -> str:
    who = await guarded(street, passkey=True)
    assert who.phone is not None
    async with Browser(street, "127.0.0.1", _by_name(street)) as session:
        return await _signs(session, who.phone.sign(await _asked(session, "/api/login/passkey")))


def _elsewhere(phone: Phone, asked: Asked) -> Signed:
    return replace(phone, origin="https://evil.example").sign(asked)


def _other_port(phone: Phone, asked: Asked) -> Signed:
    return replace(phone, origin="http://localhost:1").sign(asked)


def _other_site(phone: Phone, asked: Asked) -> Signed:
    return replace(phone, site="evil.example").sign(asked)


def _other_challenge(phone: Phone, asked: Asked) -> Signed:
    return phone.sign(replace(asked, challenge=text(secrets.token_bytes(32))))


def _nobody(phone: Phone, asked: Asked) -> Signed:
    return replace(phone, flags=PRESENT).sign(asked)


def _other_key(phone: Phone, asked: Asked) -> Signed:
    return Phone(phone.origin, credential=phone.credential).sign(asked)


def _bent(phone: Phone, asked: Asked) -> Signed:
    signed = phone.sign(asked)
    return replace(signed, client_data=text(b'{"type":"webauthn.get"}'))


_FAILED: Final = Entry(Where.SECURITY, "login-failed")
_BLOCKED: Final = Entry(Where.SECURITY, "login-blocked")


def _row(
    id_: str,
    does: str,
    attempt: Callable[[Street], Awaitable[str]],
    defence: str,
    entry: Entry = _FAILED,
    *,
    rightly: Callable[[Street], Awaitable[str]] = _rightly_by_app,
    quick: bool = False,
) -> Attack[Street]:
    return Attack(id_, Kind.WEB, does, attempt, defence, entry, rightly, "^200 ", deep=not quick)


_PASSKEYS: Final[Mapping[str, tuple[str, Spoil]]] = {
    "origin": ("for a page of another origin (phishing)", _elsewhere),
    "port": ("for a page of another port of the hub", _other_port),
    "site": ("by a key of another site", _other_site),
    "challenge": ("for another challenge", _other_challenge),
    "unverified": ("without having looked who holds the phone", _nobody),
    "key": ("by another key", _other_key),
    "words": ("and has other words put in their place", _bent),
}
ROWS: Final[Sequence[Attack[Street]]] = [
    _row("totp-replayed", "Uses a code a second time", replayed, "^403 ", quick=True),
    _row(
        "totp-replayed-at-once",
        f"Uses a code {_AT_ONCE} times at the same moment",
        replayed_at_once,
        "^1 of",
    ),
    _row(
        "totp-none",
        "Has the password and leaves out the code",
        left_out,
        "^403 ",
        Entry(Where.SECURITY, "request-refused"),
    ),
    _row("totp-old", "Uses the code of five minutes ago", old_code, "^403 "),
    _row("totp-guess", "Has the password and guesses codes", guessed, "429", _BLOCKED, quick=True),
    _row(
        "totp-guess-everywhere",
        "Guesses codes, each from another address",
        guessed_from_everywhere,
        r"then [1-9]\d* not even tried",
        _BLOCKED,
    ),
    _row("recovery-twice", "Uses a recovery code a second time", recovery_twice, "^403 "),
    *(
        _row(
            f"passkey-{name}",
            f"Has a phone sign {how}",
            by_passkey(spoil),
            "^403 ",
            rightly=_rightly_by_passkey,
            quick=name == "origin",
        )
        for name, (how, spoil) in _PASSKEYS.items()
    ),
    _row(
        "passkey-replayed",
        "Sends a second time what a phone has signed",
        passkey_replayed,
        "^403 ",
        rightly=_rightly_by_passkey,
        quick=True,
    ),
    _row(
        "passkey-to-prove",
        "Proves itself in a session by what was signed for a login",
        passkey_to_prove,
        "^403 ",
        rightly=_rightly_by_passkey,
    ),
]
