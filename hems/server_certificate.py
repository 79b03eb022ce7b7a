"""Whether a utility's server may still be talked to: lists, OCSP, and what when neither says.

Its chain is asked about aside, once it is proven, and again when an answer runs out; no handshake
and no control cycle waits for that. What was answered goes to the TLS contexts, which end
connections by it; what it means for the events in force, `hems.link` sees to.
"""

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakSet

from cryptography import x509

from certs.errors import CertificateError
from certs.identity import Trust
from certs.ocsp import client, timing
from certs.ocsp.answer import Status
from certs.ocsp.client import Means
from certs.ocsp.errors import OcspError
from certs.ocsp.question import addresses, pairs
from certs.pem import load_into, read_certificates, read_crls
from certs.revocation import stamp
from certs.standing import Answers, Policy, Standing, Verdict, mark, verdict
from certs.tls import SepContext
from hems.clock import Clock
from hems.outward import Ring, RingResolver, ring_of_host
from hems.server_memory import Memory, dump, load
from hems.store.errors import StoreError
from hems.store.settings import Settings

MOST_REVOKED: Final = 64
"""So many are remembered, the latest."""

_IDLE_S: Final = 3600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerTerms:
    """How one utility's server is judged.

    Attributes:
        name: The utility's.
        policy: What holds while revocation cannot be learned.
        responder: Where all its certificates are asked about; where they say themselves if None.
        asks: Whether OCSP is asked at all.
        server: Host of the server as the owner gave it; empty where it is looked for. No address
            in a certificate leads further into the home than that.
    """

    name: str
    policy: Policy
    responder: str | None = None
    asks: bool = True
    server: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """Whom it tells; none of them may block.

    Attributes:
        judged: How the server's chain stands, when that changes.
        unasked: Why nobody says anything of it by OCSP; None when somebody does again.
        spawn: Runs work aside.
    """

    judged: Callable[[Verdict], None]
    unasked: Callable[[str | None], None]
    spawn: Callable[[Coroutine[Any, Any, None]], None]


class ServerCertificate:
    """Follows how the certificates of one utility's server stand.

    Args:
        terms: See `ServerTerms`.
        trust: The roots and revocation lists.
        settings: Where it is remembered.
        clock: Where the time comes from.
        tell: See `Told`.
        chance: Spreads the questions of many homes.
    """

    def __init__(
        self,
        terms: ServerTerms,
        trust: Trust,
        settings: Settings,
        clock: Clock,
        *,
        tell: Told,
        chance: random.Random,
    ) -> None:
        self._terms, self._trust, self._settings = terms, trust, settings
        self._clock, self._tell, self._chance = clock, tell, chance
        self._memory = Memory()
        self._contexts: WeakSet[SepContext] = WeakSet()
        self._due: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._crls: Sequence[x509.CertificateRevocationList] = ()
        self._seen_lists: tuple[int, int, int] | None = None
        self._standing = Standing.KNOWN
        self._wake = asyncio.Event()

    def cover(self, context: SepContext, *, meets: bool) -> SepContext:
        """Have a context go by what is learned; returns it.

        Args:
            context: Of the link.
            meets: Whether its peers are the server: who calls in is not asked about.
        """
        context.learn(self._answers)
        if meets:
            context.on_peer = self._meet
        self._contexts.add(context)
        return context

    async def resume(self) -> None:
        """Take up what was known when the hub last ran."""
        try:
            text = (await self._settings.all()).get(self._name)
            memory = Memory() if text is None else load(text)
            roots = await asyncio.to_thread(read_certificates, self._trust.roots)
        except (StoreError, CertificateError, ValueError) as error:
            _log.warning("what OCSP said of %s before is not known: %s", self._terms.name, error)
            return
        if memory.chain and memory.chain[-1] not in roots:
            memory = replace(memory, chain=())  # of a root that is not trusted any more
        self._memory = memory
        self._teach()

    async def run(self) -> None:
        """Ask whenever an answer runs out, until cancelled."""
        while True:
            wait_s = await self._ask_due()
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def look(self) -> None:
        """Judge anew, by the lists that are there now and by the time."""
        seen = stamp(self._trust.crls)
        if seen != self._seen_lists:
            try:
                self._crls = await asyncio.to_thread(read_crls, self._trust.crls)
            except CertificateError as error:  # the contexts keep those that they have, too
                _log.warning("the revocation lists of %s: %s", self._terms.name, error)
            self._seen_lists = seen
        chain = self._memory.chain
        if not chain:
            return
        now = self._clock.now()
        found = verdict(chain, self._crls, self._answers, now, self._terms.policy)
        if found.standing is not self._standing:
            self._standing = found.standing
            self._tell.judged(found)

    @property
    def _name(self) -> str:
        return f"revocation {self._terms.name}"

    @property
    def _answers(self) -> Answers:
        return Answers(dict(self._memory.good_until), frozenset(self._memory.revoked))

    def _meet(self, chain: Sequence[x509.Certificate]) -> None:
        """Take the chain that a server has just proven."""
        if tuple(chain) == tuple(self._memory.chain):
            return
        self._memory = replace(self._memory, chain=tuple(chain))
        self._wake.set()
        self._tell.spawn(self._keep())

    async def _keep(self) -> None:
        """Write down what is known, and judge by it."""
        try:
            await self._settings.put(self._name, dump(self._memory))
        except StoreError as error:
            _log.warning("what OCSP said of %s cannot be kept: %s", self._terms.name, error)
        await self.look()

    async def _ask_due(self) -> float:
        """Ask about what is due; returns after how many seconds to look again."""
        asked = pairs(self._memory.chain) if self._terms.asks else ()
        gone = self._answers.revoked  # for good: nothing more is to be learned of it
        asked = tuple(each for each in asked if mark(each[0]) not in gone)
        followed = {mark(certificate) for certificate, _ in asked}
        self._due = {name: at for name, at in self._due.items() if name in followed}
        self._failing({name: n for name, n in self._failures.items() if name in followed})
        for certificate, issuer in asked:
            name, where = mark(certificate), self._addresses(certificate)
            if where and self._due.get(name, 0.0) <= self._clock.monotonic():
                self._due[name] = self._clock.monotonic() + await self._ask(
                    certificate, issuer, where
                )
        wait_s = min(self._due.values(), default=_IDLE_S) - self._clock.monotonic()
        return min(max(wait_s, 0.0), _IDLE_S) if self._due else _IDLE_S

    async def _ask(
        self, certificate: x509.Certificate, issuer: x509.Certificate, where: Sequence[str]
    ) -> float:
        """Ask about one certificate; returns after how many seconds to ask again."""
        name = mark(certificate)
        means = Means(self._clock.now, lambda: RingResolver(self._nearest), self._tls)
        try:
            answer = await client.ask(certificate, issuer, where, self._crls, means)
        except OcspError as error:
            count = self._failures.get(name, 0) + 1
            self._failing({**self._failures, name: count}, str(error))
            return timing.after_failure_s(count, self._chance.random())
        self._failing({other: n for other, n in self._failures.items() if other != name})
        memory = self._memory
        if answer.status is Status.REVOKED:
            marks = [*(each for each in memory.revoked if each != name), name]
            self._memory = replace(memory, revoked=tuple(marks[-MOST_REVOKED:]))
        else:
            followed = {mark(each) for each in memory.chain} | {name}
            kept = {n: at for n, at in memory.good_until if n in followed} | {name: answer.until}
            self._memory = replace(memory, good_until=tuple(kept.items()))
        self._teach()
        await self._keep()
        return timing.after_answer_s(answer.until, self._clock.now(), self._chance.random())

    def _failing(self, failures: dict[str, int], why: str = "") -> None:
        """Say when the first of the certificates cannot be asked about, and when all can again."""
        if bool(failures) != bool(self._failures):
            self._tell.unasked(why if failures else None)
        self._failures = failures

    def _teach(self) -> None:
        for context in self._contexts:
            context.learn(self._answers)

    def _addresses(self, certificate: x509.Certificate) -> Sequence[str]:
        """Return where a certificate is asked about: nowhere nearer than the server itself."""
        own = self._terms.responder
        if own is not None:
            return (own,)
        return [url for url in addresses(certificate) if self._may(url)]

    def _may(self, url: str) -> bool:
        ring = ring_of_host(urlsplit(url).hostname or "")
        return ring is not None and ring >= self._nearest

    @property
    def _nearest(self) -> Ring:
        own = self._terms.responder
        host = self._terms.server if own is None else urlsplit(own).hostname or ""
        ring = ring_of_host(host)
        return Ring.HOME if ring is None else ring

    def _tls(self) -> ssl.SSLContext:
        """Return the context for https: a utility's responder may stand under its own root."""
        context = ssl.create_default_context()
        with contextlib.suppress(CertificateError):  # an answer is believed for its signature
            load_into(context, self._trust.roots)
        return context
