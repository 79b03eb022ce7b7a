"""Who may have a certificate, and who has got one: codes, approvals, keys.

Everything is durable before it is answered. A key is bound to the first device that asks with it,
a code to the first key; whoever asks again with both gets the same certificate, so that an answer
that was lost costs nothing and a code is used once all the same.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs.est.code import new_secret
from certs.hwname import HardwareName
from certs.identity import lfdi, make_pin
from certs.pem import der
from certs.pki import HARDWARE_TYPE
from hems.clock import Clock
from hems.headend.book import Book
from hems.headend.db.held import Changed
from hems.headend.errors import ConflictError, ForbiddenError, UnknownItemError
from hems.headend.est.authority import Authority
from hems.headend.est.expected import ExpectedHubs
from hems.headend.est.lineage import check_same, line_from
from hems.headend.est.policy import Request, Shown
from hems.headend.est.records import Code, Enrolment, State
from hems.headend.fleet.arrivals import Arrivals
from hems.headend.records import Edition
from hems.headend.shelf import Owned, Shelf
from hems.headend.store import Store

MOST_WAITING: Final = 500
"""Homes that wait for approval at a time."""
_ID: Final = 12
_SERIAL_OCTETS: Final = 8


class WrongCodeError(ForbiddenError):
    """The one-time code is unknown, used or expired: which of them is not said."""

    status = 401


class PendingError(Exception):
    """The operator has not decided yet."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator says of a home that is to have a code.

    Attributes:
        pin: Registration PIN; drawn where None.
        edition: What the home speaks.
        serial: hwSerialNum of the only hardware that may use it, hex; empty for any.
        lasting_s: How long the code can be used.
    """

    pin: int | None
    edition: Edition
    serial: str
    lasting_s: float


class Register:
    """Codes and enrolments. `Store.load` reads them.

    Args:
        store: The database.
        book: The homes.
        authority: Who issues.
        clock: The utility's time.
        expected: Hubs that are approved before they ask.
        arrivals: The fleet, told of each identity.
        edition: What homes speak of which nobody says it.
        approve: Whether codes need the operator's approval as well.
    """

    def __init__(
        self,
        store: Store,
        book: Book,
        authority: Authority,
        clock: Clock,
        *,
        expected: ExpectedHubs,
        arrivals: Arrivals,
        edition: Edition,
        approve: bool,
    ) -> None:
        self._store = store
        self._code_shelf = Shelf(store, "est_code", Code)
        self._shelf = Shelf(store, "est_enrolment", Enrolment)
        self._book = book
        self._authority = authority
        self._expected = expected
        self._arrivals = arrivals
        self._clock = clock
        self._edition = edition
        self._approve = approve
        self._codes: dict[str, Code] = {}
        self._enrolments: dict[str, Enrolment] = {}
        self._code_shelf.follow(self._take_codes)
        self._shelf.follow(self._take)

    # The operator's side

    @property
    def codes(self) -> Sequence[Code]:
        """All codes, in the order they were made."""
        return tuple(self._codes.values())

    @property
    def enrolments(self) -> Sequence[Enrolment]:
        """All enrolments, in the order they came."""
        return tuple(self._enrolments.values())

    def revoked(self, own: str) -> bool:
        """Return whether the certificate of an LFDI was taken back here."""
        return any(e.lfdi == own and e.state is State.REVOKED for e in self._enrolments.values())

    async def make_code(self, wanted: Wanted) -> tuple[Code, bytes]:
        """Return a new code and its secret, which is kept nowhere."""
        secret, now = new_secret(), self._clock.now()
        code = Code(
            secrets.token_hex(_ID // 2),
            _digest(secret),
            wanted.serial.lower(),
            int(make_pin()) if wanted.pin is None else wanted.pin,
            wanted.edition,
            now,
            now + wanted.lasting_s,
        )
        await self._code_shelf.put((code.id, "", code))
        return code, secret

    async def drop_code(self, name: str) -> None:
        """Make a code worthless.

        Raises:
            UnknownItemError: There is none of this id.
        """
        code = self._code_shelf.find(name)
        if code is None:
            raise UnknownItemError(f"no one-time code {name[:40]!r}")
        await self._code_shelf.drop(name)

    async def decide(self, name: str, *, good: bool, pin: int | None = None) -> Enrolment:
        """Approve or refuse a home that waits.

        Raises:
            UnknownItemError: There is none of this id.
            ConflictError: It does not wait, or its PIN is not known.
        """
        async with self._store.changing():
            found = self._shelf.find(name)
            if found is None:
                raise UnknownItemError(f"no enrolment {name[:40]!r}")
            if found.state is not State.WAITING:
                raise ConflictError(f"enrolment {name} is {found.state.value}")
            said = found.pin if pin is None else pin
            if good and said is None:
                raise ConflictError(f"enrolment {name} needs the PIN that its home shows")
            state = State.APPROVED if good else State.REFUSED
            return await self._save(replace(found, state=state, pin=said))

    async def revoke(self, own: str) -> Sequence[Enrolment]:
        """Take the certificate of a home back, and what has been renewed from it since.

        Asked again it does the same again, so that what a power cut has interrupted is ended.

        Args:
            own: The home's LFDI.

        Returns:
            What was taken back.

        Raises:
            UnknownItemError: Nothing was issued here with this LFDI.
            CertificateError: A revocation list cannot be written.
            BusyError: The database cannot serve now.
        """
        async with self._store.changing():
            if not any(each.lfdi == own for each in self._enrolments.values()):
                raise UnknownItemError(f"no certificate of LFDI {own[:40]!r} was issued here")
            # Whoever holds the key may have had it renewed a moment ago.
            line = line_from(self._enrolments.values(), own)
            for each in line:
                if each.certificate:
                    leaf = x509.load_pem_x509_certificate(each.certificate.encode())
                    await self._authority.revoke(leaf, self._clock.now())
            done = [await self._save(replace(each, state=State.REVOKED)) for each in line]
            for each in done:
                if self._book.home(each.lfdi) is not None:
                    await self._book.retire(each.lfdi)
        await self._arrivals.stop({each.lfdi for each in done})
        return done

    # The homes' side

    async def enrol(self, request: Request, secret: bytes, shown: Shown | None) -> Enrolment:
        """Return the enrolment of a home that is new, with its certificate.

        Args:
            request: What it asks for.
            secret: Of its one-time code; empty for none.
            shown: The certificate of its manufacturer; None for none.

        Raises:
            WrongCodeError: The code is unknown, used or expired.
            ForbiddenError: It may not have one.
            PendingError: The operator has not decided yet.
        """
        async with self._store.changing():
            found = self._enrolments.get(request.mark)
            code = self._code(secret, request) if secret else None
            if code is None and shown is None:
                raise WrongCodeError("a one-time code or a manufacturer's certificate is needed")
            if found is None:
                found = await self._begin(request, code, shown)
            else:
                check_same(found, code, shown, request)
            if found.state is State.REFUSED:
                raise ForbiddenError("the operator has refused this home")
            if found.state is State.WAITING:
                found = await self._approved(found, shown)
            if found.state is not State.WAITING:
                return await self._issued(found, request)
        raise PendingError  # only now: it stays known that the home waits

    async def renew(self, request: Request, shown: Shown) -> Enrolment:
        """Return an enrolment whose certificate takes the place of the one that is shown.

        Raises:
            ForbiddenError: It is no registered home's, or another device's name or key is asked.
        """
        async with self._store.changing():
            own = lfdi(der(shown.certificate))
            home = self._book.home(own)
            if home is None:
                raise ForbiddenError(f"device {own} is not registered here")
            if request.name != shown.name:
                raise ForbiddenError("the request does not name the hardware of the certificate")
            found = self._enrolments.get(request.mark)
            if found is not None and found.lfdi == own:
                raise ForbiddenError("a new certificate needs a new key")
            if found is None:
                found = await self._save(
                    Enrolment(
                        secrets.token_hex(_ID // 2),
                        request.mark,
                        shown.name.kind,
                        shown.name.serial.hex(),
                        State.APPROVED,
                        self._clock.now(),
                        home.edition,
                        replaces=own,
                        before=_pem(shown.certificate),
                        pin=home.pin,
                    )
                )
            elif found.replaces != own:
                raise ForbiddenError("the key of the request is another device's")
            return await self._issued(found, request)

    async def supersede(self) -> Sequence[Enrolment]:
        """Revoke and forget what was renewed, once the home came in with the new certificate.

        So it is with others that it was given in place of the same one, and never came in with: it
        asked with one key, lost the answer, and asked with another.

        Returns:
            What has taken the place of the old.

        Raises:
            CertificateError: A revocation list cannot be written.
            BusyError: The database cannot serve now.
        """
        done = []
        async with self._store.changing():
            renewed = [e for e in self._enrolments.values() if self._book.home(e.replaces)]
            heard = await self._book.contacts.of(*(e.lfdi for e in renewed)) if renewed else {}
            for each in renewed:
                if each.lfdi in heard:
                    before = x509.load_pem_x509_certificate(each.before.encode())
                    await self._authority.revoke(before, self._clock.now())
                    await self._book.retire(each.replaces)
                    await self._arrivals.superseded(each.replaces)
                    done.append(each)
            for each in done:
                for other in renewed:
                    unused = other.state is State.ISSUED and other.lfdi not in heard
                    if unused and other.replaces == each.replaces:
                        await self._abandon(other, each)
        return done

    async def _abandon(self, unused: Enrolment, instead: Enrolment) -> None:
        """Revoke and forget an identity that a home never came in with, but with another."""
        leaf = x509.load_pem_x509_certificate(unused.certificate.encode())
        await self._authority.revoke(leaf, self._clock.now())
        await self._save(replace(unused, state=State.REVOKED))
        if self._book.home(unused.lfdi) is not None:
            await self._book.retire(unused.lfdi)
        await self._arrivals.renewed(unused.lfdi, instead.lfdi)  # where it was noted as the last
        await self._arrivals.superseded(unused.lfdi)

    async def _begin(self, request: Request, code: Code | None, shown: Shown | None) -> Enrolment:
        """Bind a key to a device, and a code or the operator's word for the device to the key."""
        name = self._name_for(request, code, shown)
        known = None if shown is None else await self._expected.used(name, request.mark)
        waits = known is None and (code is None or self._approve)
        said = known if code is None else code
        if waits:
            await self._make_room()
        if code is not None:
            used = replace(code, used_by=request.mark)
            await self._code_shelf.put((code.id, "", used))
        return await self._save(
            Enrolment(
                secrets.token_hex(_ID // 2),
                request.mark,
                name.kind,
                name.serial.hex(),
                State.WAITING if waits else State.APPROVED,
                self._clock.now(),
                self._edition if said is None else said.edition,
                code="" if code is None else code.id,
                pin=None if said is None else said.pin,
            )
        )

    async def _approved(self, found: Enrolment, shown: Shown | None) -> Enrolment:
        """Return one that waits as approved, if the operator has said so of its hardware since."""
        known = None if shown is None else await self._expected.used(shown.name, found.mark)
        if known is None:
            return found
        return await self._save(
            replace(found, state=State.APPROVED, pin=known.pin, edition=known.edition)
        )

    def _name_for(self, request: Request, code: Code | None, shown: Shown | None) -> HardwareName:
        """Return which hardware a certificate is for; a name is the caller's only if shown."""
        serial = "" if code is None else code.serial
        if shown is not None:
            if request.name not in {None, shown.name}:
                raise ForbiddenError("the request names other hardware than its certificate")
            if serial and serial != shown.name.serial.hex():
                raise ForbiddenError("the one-time code is for other hardware")
            return shown.name
        drawn = serial or secrets.token_hex(_SERIAL_OCTETS)
        name = HardwareName(HARDWARE_TYPE, bytes.fromhex(drawn))
        if request.name is not None and (not serial or request.name != name):
            raise ForbiddenError("the request names hardware that its code does not")
        there = (e for e in self._enrolments.values() if e.state is not State.REVOKED)
        if any((e.kind, e.serial) == (name.kind, drawn) for e in there):
            raise ForbiddenError("there is a home with this hardware already")
        return name

    def _code(self, secret: bytes, request: Request) -> Code:
        code = self._codes.get(_digest(secret))
        if code is None:
            raise WrongCodeError("the one-time code is not known")
        if code.used_by == request.mark:
            return code  # the answer was lost, or the operator had to decide
        if code.used_by:
            raise WrongCodeError("the one-time code is used")
        if self._clock.now() >= code.expires_at:
            raise WrongCodeError("the one-time code has expired")
        return code

    async def _issued(self, found: Enrolment, request: Request) -> Enrolment:
        if found.state is State.REVOKED:
            raise ForbiddenError("the certificate of this key was revoked")
        if found.state is not State.ISSUED:
            name = HardwareName(found.kind, bytes.fromhex(found.serial))
            await self._arrivals.check_enrols(found.kind, found.serial)
            chain = await self._authority.issue(request.key, name, self._clock.now())
            found = await self._save(
                replace(
                    found,
                    state=State.ISSUED,
                    certificate="".join(map(_pem, chain)),
                    lfdi=lfdi(der(chain[0])),
                )
            )
            if found.replaces:
                await self._arrivals.renewed(found.replaces, found.lfdi)
            else:
                await self._arrivals.identified(found.kind, found.serial, found.lfdi)
        if self._book.home(found.lfdi) is None and found.pin is not None:
            await self._book.register(found.lfdi, found.pin, found.edition, in_band=False)
        return found

    async def _make_room(self) -> None:
        waiting = [e for e in self._enrolments.values() if e.state is State.WAITING]
        if len(waiting) >= MOST_WAITING:
            oldest = waiting[0]
            await self._shelf.drop(oldest.id)

    async def _save(self, item: Enrolment) -> Enrolment:
        await self._shelf.put((item.id, "", item))
        return item

    def _take_codes(self, changes: Sequence[Changed[Owned[Code]]]) -> None:
        for each in changes:
            if each.before is not None:
                self._codes.pop(each.before.item.digest, None)
            if each.after is not None:
                self._codes[each.after.item.digest] = each.after.item

    def _take(self, changes: Sequence[Changed[Owned[Enrolment]]]) -> None:
        for each in changes:
            if each.after is not None:
                self._enrolments[each.after.item.mark] = each.after.item
            elif each.before is not None:
                self._enrolments.pop(each.before.item.mark, None)


def _digest(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
