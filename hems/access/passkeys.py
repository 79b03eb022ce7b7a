"""Passkeys (WebAuthn Level 2): a key in a phone or computer that proves who somebody is.

By itself it is a whole login: the device that has it makes sure by finger, face or PIN who holds
it. A passkey is for one name of the hub, since browsers keep them so.
"""

import base64
import binascii
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from der.sentence import say
from hems.access import names
from hems.access.challenges import Challenges
from hems.access.credentials import PASSKEY, Credentials
from hems.access.errors import AccountError, UnknownError, WrongError
from hems.access.people import Person
from hems.on_demand import load, on_demand
from hems.store.people import CredentialRow

if TYPE_CHECKING:
    import webauthn
    from webauthn.helpers import exceptions
else:  # 6 MB, for homes where somebody has a passkey
    webauthn = on_demand("webauthn")
    exceptions = on_demand("webauthn.helpers.exceptions")

_log = logging.getLogger(__name__)

_MOST: Final = 20
_LOGIN: Final = "log in"


@dataclass(frozen=True, slots=True)
class Site:
    """Under which name the page is open.

    Attributes:
        name: Host name; passkeys are for it.
        origin: Scheme, name and port, as a browser says them.
    """

    name: str
    origin: str


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey, as shown.

    Attributes:
        id: Its number.
        name: What its owner calls it.
        site: Under which name of the hub it works.
        made_at: UTC epoch seconds.
        used_at: When it was last used, likewise; None for never.
    """

    id: int
    name: str
    site: str
    made_at: float
    used_at: float | None


class _Kept(BaseModel):
    """What is kept of one, as JSON; binary in base64url.

    Attributes:
        credential: What the browser calls it.
        public: Its public key (COSE).
        count: How often it has signed, as it says itself.
        site: Under which name of the hub it works.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    credential: str
    public: str
    count: int
    site: str


class _ClientData(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    challenge: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser is asked; binary in base64url.

    Attributes:
        challenge: What is to be signed.
        site: For which name of the hub.
        credentials: Passkeys that it may answer with, or, for a new one, must not have; none for
            any.
        handle: Of the account, for a new passkey; empty elsewhere.
        name: Of the account, likewise.
    """

    challenge: str
    site: str
    credentials: Sequence[str] = ()
    handle: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A passkey that a browser made; binary in base64url.

    Attributes:
        credential: What the browser calls it.
        client_data: What it was made for, as JSON.
        attestation: Its public half, and what the device says of itself (CBOR).
    """

    credential: str
    client_data: str
    attestation: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A passkey's answer; binary in base64url.

    Attributes:
        credential: What the browser calls the passkey.
        client_data: What it signed it for, as JSON.
        authenticator_data: What the device says of itself.
        signature: Of both.
    """

    credential: str
    client_data: str
    authenticator_data: str
    signature: str


class Passkeys:
    """The passkeys; every method that is awaited raises StoreError if the store refuses.

    Args:
        credentials: Where they are kept.
        challenges: What they sign.
    """

    def __init__(self, credentials: Credentials, challenges: Challenges) -> None:
        self._credentials = credentials
        self._challenges = challenges

    def of(self, person: int) -> Sequence[PasskeyView]:
        """Return those of somebody, the oldest first."""
        return [
            PasskeyView(row.id, row.name, kept.site, row.made_at, row.used_at)
            for row in self._credentials.of(person, PASSKEY)
            if (kept := _kept(row)) is not None
        ]

    def some(self, site: str) -> bool:
        """Return whether anybody has one for a name of the hub."""
        kept = (_kept(row) for row in self._credentials.all(PASSKEY))
        return any(each is not None and each.site == site for each in kept)

    def begin_add(self, person: Person, session: int, site: Site) -> Asked:
        """Return what a browser is asked to make a passkey.

        Args:
            person: Whose it is to be.
            session: By which session they ask.
            site: Under which name the page is open.
        """
        handle = hashlib.sha256(f"{site.name} {person.id} {person.made_at}".encode()).digest()
        return Asked(
            challenge=_text(self._challenges.make(f"add {person.id} {session}")),
            site=site.name,
            credentials=self._named(person.id, site),
            handle=_text(handle),
            name=person.name,
        )

    async def add(self, person: Person, session: int, site: Site, made: Made, name: str) -> None:
        """Keep a passkey that a browser has made.

        Args:
            person: Whose it is to be.
            session: By which session they ask.
            site: Under which name the page is open.
            made: What the browser says.
            name: What its owner calls it.

        Raises:
            AccountError: It cannot have that name, or there are too many.
            WrongError: The answer is not good.
        """
        called = names.cleaned(name)
        if len(self._credentials.of(person.id, PASSKEY)) >= _MOST:
            raise AccountError(say("An account has {most} passkeys at most.", most=_MOST))
        purpose, challenge = f"add {person.id} {session}", _challenge(made.client_data)
        self._challenges.check(challenge, purpose)
        await load(webauthn)
        try:
            found = webauthn.verify_registration_response(
                credential=_said(
                    made.credential,
                    clientDataJSON=made.client_data,
                    attestationObject=made.attestation,
                ),
                expected_challenge=challenge,
                expected_rp_id=site.name,
                expected_origin=site.origin,
                require_user_verification=True,
            )
        except _bad() as error:
            raise _not_good(error) from error
        credential = _text(found.credential_id)
        if self._row(credential) is not None:
            raise AccountError(say("This passkey is known already."))
        self._challenges.take(challenge, purpose)
        kept = _Kept(
            credential=credential,
            public=_text(found.credential_public_key),
            count=found.sign_count,
            site=site.name,
        )
        await self._credentials.add(person.id, PASSKEY, [(called, kept.model_dump_json())])

    def begin_login(self, site: Site) -> Asked:
        """Return what a browser is asked to log somebody in, whoever has a passkey in it."""
        return Asked(_text(self._challenges.make(_LOGIN)), site.name)

    def begin_proof(self, person: int, session: int, site: Site) -> Asked:
        """Return what a browser is asked to prove once more who somebody is."""
        challenge = _text(self._challenges.make(f"prove {person} {session}"))
        return Asked(challenge, site.name, self._named(person, site))

    async def log_in(self, site: Site, signed: Signed) -> int:
        """Return the number of the account that a passkey is for.

        Raises:
            WrongError: The answer is not good.
        """
        return await self._proved(site, signed, _LOGIN, None)

    async def prove(self, person: int, session: int, site: Site, signed: Signed) -> None:
        """Refuse an answer that does not prove who somebody is; raises WrongError."""
        await self._proved(site, signed, f"prove {person} {session}", person)

    async def remove(self, person: int, number: int) -> str:
        """Take a passkey of somebody out; returns what it was called.

        Raises:
            UnknownError: There is none.
        """
        for row in self._credentials.of(person, PASSKEY):
            if row.id == number:
                await self._credentials.remove([row])
                return row.name
        raise UnknownError(say("There is no such passkey."))

    async def _proved(self, site: Site, signed: Signed, purpose: str, person: int | None) -> int:
        challenge = _challenge(signed.client_data)
        self._challenges.check(challenge, purpose)
        row = self._row(signed.credential)
        kept = None if row is None else _kept(row)
        if row is None or kept is None or person not in {None, row.person}:
            raise WrongError(say("This passkey is not known here."))
        await load(webauthn)
        try:
            done = webauthn.verify_authentication_response(
                credential=_said(
                    signed.credential,
                    clientDataJSON=signed.client_data,
                    authenticatorData=signed.authenticator_data,
                    signature=signed.signature,
                ),
                expected_challenge=challenge,
                expected_rp_id=kept.site,
                expected_origin=site.origin,
                credential_public_key=_bytes(kept.public),
                credential_current_sign_count=0,  # looked at below, to say what it means
                require_user_verification=True,
            )
        except _bad() as error:
            raise _not_good(error) from error
        self._challenges.take(challenge, purpose)
        if kept.count > 0 and done.new_sign_count <= kept.count:
            raise WrongError(say("This passkey counts like a copy. Remove it and make another."))
        changed = kept.model_copy(update={"count": done.new_sign_count})
        await self._credentials.used(row, changed.model_dump_json())
        return row.person

    def _named(self, person: int, site: Site) -> list[str]:
        kept = (_kept(row) for row in self._credentials.of(person, PASSKEY))
        return [each.credential for each in kept if each is not None and each.site == site.name]

    def _row(self, credential: str) -> CredentialRow | None:
        for row in self._credentials.all(PASSKEY):
            kept = _kept(row)
            if kept is not None and kept.credential == credential:
                return row
        return None


def _kept(row: CredentialRow) -> _Kept | None:
    try:
        return _Kept.model_validate_json(row.secret)
    except ValidationError:
        _log.error("passkey %d cannot be read: it lets nobody in", row.id)
        return None


def _challenge(client_data: str) -> bytes:
    """Return what a browser says that was signed; whether it was, is looked at later."""
    try:
        return _bytes(_ClientData.model_validate_json(_bytes(client_data)).challenge)
    except ValueError as error:  # pydantic's are such
        raise WrongError(say("That is no answer of a passkey.")) from error


def _said(credential: str, **response: str) -> dict[str, object]:
    """Return an answer in the library's shape (`PublicKeyCredential.toJSON()`)."""
    return {
        "id": credential,
        "rawId": credential,
        "type": "public-key",
        "response": response,
        "clientExtensionResults": {},
    }


def _not_good(error: Exception) -> WrongError:
    _log.info("a passkey's answer is refused: %s", error)
    return WrongError(say("The passkey's answer is not good for this page."))


def _bad() -> tuple[type[Exception], ...]:
    """Return what an answer that is not good raises, at whatever depth it is not."""
    return (exceptions.WebAuthnException, ValueError, LookupError, TypeError, AttributeError)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError(str(error)) from error
