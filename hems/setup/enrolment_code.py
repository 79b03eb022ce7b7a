"""A home enrolled by a code: key, certificate, proof, settings; all of it or nothing.

identity/enrolling/       what is under way; its key outlives a lost answer and a power cut
identity/manufacturer.pem|.key   who the hub is by its maker, where that has given it anything
"""

import asyncio
import logging
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from certs.errors import CertificateError, PeerError
from certs.est import client, lists
from certs.est.answer import Issued
from certs.est.client import Holder
from certs.est.code import EnrolmentCode, read_code
from certs.est.errors import EstError, Fault
from certs.identity import IdentityFiles, Trust, pin_valid
from certs.keys.opening import key_store
from certs.keys.store import KeyStore
from certs.pem import read_certificates, read_crls, write_certificates, write_crls
from certs.tls import client_context
from certs.verify import hardware_name, revoked
from der.sentence import say
from hems.settings.settings_file import Table
from hems.settings.utility_section import UtilitySection
from hems.setup.editing import Editor, Mistake
from hems.setup.enrolment import EDITIONS, EnrolmentError
from hems.setup.identity import KeyRing

_DRAFT: Final = "enrolling"
_MANUFACTURER: Final = "manufacturer"
_log = logging.getLogger(__name__)

_FOR_GOOD: Final = frozenset({Fault.SPENT, Fault.REFUSED})
"""After these the same key is of no use any more."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The files of an enrolment that is under way.

    Attributes:
        folder: Where they are.
        keys: What keeps the key.
    """

    folder: Path
    keys: KeyStore

    @property
    def identity(self) -> IdentityFiles:
        """The hub's certificate and key."""
        return IdentityFiles(self.folder / "certificate.pem", self.folder / "hub.key", self.keys)

    @property
    def trust(self) -> Trust:
        """Whom it trusts."""
        return Trust(self.folder / "roots.pem", self.folder / "crls.pem")

    def begin(self) -> None:
        """Make the key, unless one is left of an attempt whose answer did not come.

        Raises:
            CertificateError: It cannot be made.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CertificateError(f"{self.folder}: cannot be made: {error.strerror}") from error
        if not self.identity.key.exists():
            self.keys.make(self.identity.key)

    def write(self, issued: Issued) -> None:
        """Keep what came, and see that it can be used.

        Raises:
            CertificateError: It cannot be written or used.
        """
        write_certificates(self.identity.certificate, issued.chain)
        write_certificates(self.trust.roots, issued.roots)
        write_crls(self.trust.crls, issued.crls)
        lists.keep(self.trust, issued)
        client_context(self.identity, self.trust)  # says now what is wrong with them

    def drop(self) -> None:
        """Give up the key: the next attempt makes another one."""
        if self.identity.key.exists():
            self.keys.erase(self.identity.key)
        shutil.rmtree(self.folder, ignore_errors=True)


def legible(text: str) -> None:
    """Refuse a code that has a slip of the pen in it, before anything is made for it.

    Raises:
        EnrolmentError: It is none.
    """
    try:
        read_code(text)
    except EstError as error:
        raise EnrolmentError(_said(error)) from error


async def enrol_by_code(
    editor: Editor,
    text: str,
    now: Callable[[], float],
    maker: IdentityFiles | None = None,
    pin: str = "",
) -> Sequence[Mistake]:
    """Enrol a home by a code; a hub that runs connects at once.

    Args:
        editor: The home's settings.
        text: The code.
        now: UTC epoch seconds.
        maker: Who the hub is by its manufacturer; None for what lies in its folder.
        pin: Registration PIN that the utility has told; empty for the code's, or the hub's own.

    Returns:
        What is wrong with the settings; nothing has changed then.

    Raises:
        EnrolmentError: It is not enrolled; what was in use goes on.
        certs.est.errors.WaitError: The utility decides later.
        CertificateError: The hub's keys cannot be made or used.
        ConfigError: The settings cannot be read or written.
    """
    if pin and not pin_valid(pin):
        raise EnrolmentError(say("A PIN has five digits and the check digit that fits."))
    ring = KeyRing(editor.path.parent.absolute())
    draft = await asyncio.to_thread(_draft, editor, ring)
    try:
        code = read_code(text)
        code = replace(code, pin=pin) if pin else code
        # Aside: a key store may take its time, and the home's control goes on meanwhile.
        await asyncio.to_thread(draft.begin)
        key = draft.keys.signer(draft.identity.key)
        holder = await asyncio.to_thread(_holder, ring, maker)
        issued = await client.enrol(code, key, holder, now)
        await asyncio.to_thread(draft.write, issued)
        await client.prove(code.authority, issued, draft.identity)
    except EstError as error:
        if error.fault in _FOR_GOOD:
            await asyncio.to_thread(draft.drop)
        if error.fault is Fault.LATER:
            raise
        raise EnrolmentError(_said(error)) from error
    return await asyncio.to_thread(_put, editor, ring, draft, code, issued)


def _draft(editor: Editor, ring: KeyRing) -> Draft:
    if editor.fixed("utility"):
        raise EnrolmentError(
            say("A person has written this into hems.toml; it can only be changed there.")
        )
    ring.prepare()
    return Draft(ring.folder / _DRAFT, key_store(editor.config.keys.settings))


def _put(
    editor: Editor, ring: KeyRing, draft: Draft, code: EnrolmentCode, issued: Issued
) -> Sequence[Mistake]:
    """Give the draft a name of its own and the settings its files; undone if they refuse."""
    final = ring.next_folder()
    try:
        draft.folder.replace(final)
    except OSError as error:
        raise CertificateError(f"{final}: cannot be made: {error.strerror}") from error
    mistakes: Sequence[Mistake] = (Mistake("", ""),)
    before = editor.config.utility
    try:
        mistakes = editor.put("utility", _section(ring, final, code, issued))
    finally:
        if mistakes:
            final.replace(draft.folder)
    if not mistakes:
        _erase_revoked(before, ring, draft.keys, issued)
    return mistakes


def _erase_revoked(
    before: Iterable[UtilitySection], ring: KeyRing, keys: KeyStore, issued: Issued
) -> None:
    """Erase the hub's own keys whose certificates were revoked; others may be gone back to."""
    for section in before:
        if not section.key.is_relative_to(ring.folder):
            continue
        try:
            crls = (*issued.crls, *read_crls(section.crls))
            if revoked(read_certificates(section.certificate)[0], crls):
                keys.erase(section.key)
        except CertificateError as error:
            _log.warning("%s: the former key stays for now: %s", section.key, error)


def _section(ring: KeyRing, folder: Path, code: EnrolmentCode, issued: Issued) -> Table:
    files = Draft(folder, KeyStore())
    home = ring.home
    section: Table = {
        "certificate": str(files.identity.certificate.relative_to(home)),
        "key": str(files.identity.key.relative_to(home)),
        "trust": str(files.trust.roots.relative_to(home)),
        "crls": str(files.trust.crls.relative_to(home)),
        "pin": code.pin or ring.pin(),
        "edition": issued.edition if issued.edition in EDITIONS else EDITIONS[0],
        "est": code.authority,
    }
    return {"url": issued.dcap, **section} if issued.dcap else section


def _holder(ring: KeyRing, maker: IdentityFiles | None) -> Holder | None:
    """Return who the hub is by its manufacturer; None where that has given it nothing."""
    given = ring.folder / f"{_MANUFACTURER}.pem"
    if maker is None:
        if not given.exists():
            return None
        maker = IdentityFiles(given, given.with_suffix(".key"))
    try:
        return Holder(maker, hardware_name(read_certificates(maker.certificate)[0]))
    except PeerError as error:
        raise CertificateError(f"{maker.certificate}: {error}") from error


def _said(error: EstError) -> str:
    match error.fault:
        case Fault.CODE:
            return say("This is not a whole enrolment code; look for a slip of the pen.")
        case Fault.UNREACHABLE:
            return say("The utility's server does not answer. Is the hub connected?")
        case Fault.UNTRUSTED:
            return say("The server is not the one that the code names; it was told nothing.")
        case Fault.CLOCK:
            return say("The clock of this hub is wrong: {why}", why=str(error))
        case Fault.SPENT:
            return say(
                "The utility does not take this code: it is used, expired or wrong. "
                "Ask it for a new one."
            )
        case Fault.REFUSED:
            return say("The utility refuses this home: {why}", why=str(error))
        case Fault.BROKEN | Fault.LATER:
            return say("The utility's server answers what cannot be used: {why}", why=str(error))
