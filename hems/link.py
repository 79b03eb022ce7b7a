"""The link to one utility: its client, and what the home tells it."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from certs.identity import sfdi
from certs.renewal import CertificateWatch
from certs.standing import Standing, Verdict
from certs.tls import client_context, server_context
from der.commands import DeviceOptions
from der.drivers.feed import Feed
from der.model import DeviceSpec
from der.sentence import say
from hems import views, wiring
from hems.clock import Clock, is_known
from hems.emg.metering import Metering
from hems.emg.registers import Register, dump, load
from hems.emg.self_report import by_program
from hems.emg.telemetry import Telemetry
from hems.image import Image
from hems.link_notes import event_of, noting
from hems.own_certificate import Files, OwnCertificate
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.sep2.book.ledger import LedgerError
from hems.sep2.client import Client
from hems.sep2.enddevice.enrolment import Member
from hems.sep2.enddevice.logevents import Happening
from hems.sep2.enddevice.usage import Usage
from hems.sep2.noticed import Noticed
from hems.sep2.rules.events import Schedule
from hems.sep2.settings import ClientState
from hems.sep2.transport.http import Transport
from hems.server_certificate import ServerCertificate, Told
from hems.server_words import judged_words, unasked_words
from hems.settings.config import Config
from hems.settings.utility_section import UtilitySection
from hems.store.errors import StoreError
from hems.store.store import Store
from hems.surface import UtilityView
from hems.utility_log import UtilityLog
from programs.capability import Spare

_log = logging.getLogger(__name__)

RESTART_S: Final = 10.0
_LONGEST_RESTART_S: Final = 600.0
_STEADY_S: Final = 3600.0
"""What ran for so long begins anew after the shortest wait again."""


@dataclass(frozen=True, slots=True)
class House:
    """What of the home each link needs.

    Attributes:
        config: The hub's.
        specs: The home's devices.
        clock: Where the time comes from.
        store: What is remembered.
        started_at: When this software was started, UTC epoch seconds.
        feed: Where what a utility has metered is brought; None if no device is fed.
        chance: Where what events leave to chance is drawn from.
        options: Returns what devices say that they can do, by id.
        note: Told what bears on security.
    """

    config: Config
    specs: Sequence[DeviceSpec]
    clock: Clock
    store: Store
    started_at: int
    feed: Feed | None = None
    chance: random.Random = field(default_factory=random.SystemRandom)
    options: Callable[[], Mapping[str, DeviceOptions]] = dict
    note: Note = unheard


@dataclass(frozen=True, slots=True)
class LinkEvents:
    """Whom a link tells; none of them may block.

    Attributes:
        schedule: What is in force, and by whom it is asked: one of the link's `sources`.
        failed: That a source cannot say what it asks, for now.
        change: That the link stands otherwise.
        alarm: In one sentence what the owner should know.
        spawn: Runs work aside.
    """

    schedule: Callable[[Schedule, str], None]
    failed: Callable[[str], None]
    change: Callable[[], None]
    alarm: Callable[[str], None]
    spawn: Callable[[Coroutine[Any, Any, None]], None]


class Link:
    """One utility.

    Args:
        section: Its section of the configuration.
        house: See `House`.
        tell: See `LinkEvents`.

    Raises:
        CertificateError: A key or certificate of the section cannot be used.
    """

    def __init__(self, section: UtilitySection, house: House, tell: LinkEvents) -> None:
        self.name = section.name
        self._house = house
        self._tell = tell
        own = wiring.own_lfdi(section)
        identity, trust = wiring.identity_files(house.config, section)
        self._own_certificate = section.lfdi is None
        self._over = asyncio.Event()
        watch = CertificateWatch(
            identity, trust, on_identity=self._renewed, alarm=self._certificate_alarm
        )
        self.certificates = watch
        client_context(identity, trust)  # says now, and not at the first contact, what is wrong
        self._section, self._own = section, own
        terms = wiring.server_terms(section)
        self._ended: frozenset[str] = frozenset()
        self._peer = server = ServerCertificate(
            terms,
            trust,
            house.store.settings,
            house.clock,
            tell=Told(self._server_judged, self._server_unasked, tell.spawn),
            chance=house.chance,
        )
        settings = wiring.client_settings(section, own, house.specs, house.options())
        self._server = settings.server
        self.sources = tuple(_source(self.name, i) for i in range(len(settings.members)))
        """By whom something may be asked: the utility for the home, then for further members."""
        self.scopes = (frozenset[str](), *(frozenset(member.devices) for member in section.member))
        """Of which devices each of these asks it; empty for the home as a whole."""
        dialect = wiring.dialect(section)
        self.client = Client(
            settings,
            lambda base: Transport(
                base,
                watch.cover(
                    server.cover(client_context(identity, trust, policy=terms.policy), meets=True)
                ),
                schema_ver=dialect.schema_ver,
            ),
            house.store.ledger,
            house.clock,
            house.chance,
            listen_context=watch.cover(
                noting(
                    server.cover(server_context(identity, trust, policy=terms.policy), meets=False),
                    house.note,
                    say("notifications of {name}", name=section.name),
                )
            ),
            on_schedule=lambda schedule: tell.schedule(schedule, self.sources[0]),
            on_member=lambda index, schedule: tell.schedule(schedule, self.sources[index]),
            on_state=self._stands,
            alarm=tell.alarm,
            notice=self._noticed,
        )
        self._counts = OwnCertificate(
            Files(identity, trust, section.est), lambda: self._refused, self._revoked
        )
        self._reports = [
            (frozenset[str](), wiring.self_report(house.config, section, own, house.started_at)),
            *(
                (
                    frozenset(member.devices),
                    wiring.self_report(
                        house.config, section, member.lfdi, house.started_at, name=member.name
                    ),
                )
                for member in section.member
            ),
        ]
        self._telemetry = Telemetry(
            settings.identity.lfdi,
            round(section.mirror_interval),
            self.client.add_sample,
            on_registers=self._keep_registers,
        )
        self._registers_name = f"registers {self.name}"
        if house.feed is not None and self.name in wiring.fed_by(house.config):
            home, *_ = self.client.members
            lfdis = frozenset(member.lfdi for member in self.client.members)
            metering = Metering(
                self.name, house.feed, lfdis, house.clock, lambda: home.engine.offset_s
            )
            home.services.usage = Usage(metering.take)
        self._log = UtilityLog(
            self.name,
            self.client.members[0].services.log,
            house.store.settings,
            spawn=tell.spawn,
            alarm=tell.alarm,
        )

    def _noticed(self, noticed: Noticed) -> None:
        event = event_of(noticed, self.name)
        if event is not None:
            self._house.note(event)

    def log(self, happening: Happening) -> None:
        """Have the utility's log told of something."""
        self._log.add(happening)

    def learn(self) -> None:
        """Go by what devices say that they can do; events that were refused before stay so."""
        house = self._house
        settings = wiring.client_settings(self._section, self._own, house.specs, house.options())
        for member, now in zip(self.client.members, settings.members, strict=True):
            member.engine.carry_out(now.profile)

    async def run(self) -> None:
        """Serve until cancelled; a client that fails begins anew.

        Returns:
            When the certificate has become another one: a new link is to take this one's place,
            which goes on with what the ledger has.
        """
        async with asyncio.TaskGroup() as group:
            parts = (self._serve(), self._counts.run(), self._peer.run())
            work = [group.create_task(each) for each in parts]
            await self._over.wait()
            for task in work:
                task.cancel()

    async def _serve(self) -> None:
        await self._take_over()
        await self._resume_registers()
        await self._log.resume()
        await self._counts.look()
        await self._peer.resume()
        await self._peer.look()
        clock, wait_s = self._house.clock, RESTART_S
        while True:
            began = clock.monotonic()
            try:
                await self.client.run()
            except Exception:  # noqa: BLE001 - see below
                # A fault in the protocol's part must not take the control cycle with it, nor
                # another utility's link, whatever it is: events in force go on, and the client
                # begins anew from the ledger.
                _log.exception("the link to %s failed; it starts anew", self.name)
                for source in self.sources:
                    self._tell.failed(source)
                self._tell.alarm(
                    say("The link to {called} failed and starts anew", called=self._called)
                )
            if clock.monotonic() - began > _STEADY_S:
                wait_s = RESTART_S
            await asyncio.sleep(wait_s)
            # A fault that comes back each time must not have the server walked through forever.
            wait_s = min(2 * wait_s, _LONGEST_RESTART_S)

    @property
    def _called(self) -> str:
        alone = len(self._house.config.utility) == 1
        return say("the utility") if alone else say("the utility {name}", name=self.name)

    @property
    def view(self) -> UtilityView:
        """How the link stands."""
        return views.utility(self.client.state, self._lfdi, self.name)

    @property
    def _lfdi(self) -> str:
        return self.client.members[0].settings.identity.lfdi

    @property
    def members(self) -> Iterator[tuple[str, Member]]:
        """By whom something may be asked, and whom it is asked of."""
        return zip(self.sources, self.client.members, strict=True)

    def take_image(self, image: Image) -> None:
        """Take in what was read of the devices, for what is reported at intervals."""
        if is_known(self._house.clock):
            self._telemetry.take_image(image)
        self._log.take_image(image)

    def report(
        self,
        image: Image,
        *,
        gradient: float | None,
        remote: bool,
        spare: Spare | None = None,
    ) -> None:
        """Tell the utility what the home, and each further member, is and does.

        Args:
            image: What the devices were read as.
            gradient: Default ramp that is in force, per cent of the rating a second.
            remote: Whether a utility has a control in force.
            spare: For how long loads can stay off; None where that is not known.
        """
        for index, (devices, maker) in enumerate(self._reports):
            if index and not devices:
                continue
            member = self.client.members[index]
            report = maker.take(
                _part(image, devices) if index else image,
                member.engine.offset_s,
                gradient=gradient,
                remote=remote,
                specs=self._house.specs,
                options=self._house.options(),
                spare=spare,
            )
            hrefs = (h for found in member.services.dr_programs.values() for h in found)
            sheds = by_program(report.load_shed, hrefs)
            self.client.publish(replace(report, load_shed=sheds), index)

    async def _take_over(self) -> None:
        """Go on with the events of the LFDI that this home had when it last ran."""
        name, server, own = f"lfdi {self.name}", self._server, self._lfdi
        store = self._house.store
        try:
            former = (await store.settings.all()).get(name)
            if former is not None and former != own:
                count = await store.ledger.readdress(server, former, own)
                _log.info("%s: %d events of LFDI %s are now of %s", self.name, count, former, own)
            if former != own:
                await store.settings.put(name, own)
        except (StoreError, LedgerError) as error:
            self._tell.alarm(
                say("The events of the former LFDI cannot be taken over: {error}", error=error)
            )

    async def _resume_registers(self) -> None:
        """Take up what the meters had counted when it was last told."""
        try:
            text = (await self._house.store.settings.all()).get(self._registers_name)
            if text is not None:
                self._telemetry.resume(load(text))
        except (StoreError, ValueError) as error:
            self._tell.alarm(
                say("What the meters had counted before is not known: {error}", error=error)
            )

    def _keep_registers(self, registers: Mapping[str, Register]) -> None:
        if registers:
            self._tell.spawn(self._save_registers(dump(registers)))

    async def _save_registers(self, text: str) -> None:
        try:
            await self._house.store.settings.put(self._registers_name, text)
        except StoreError as error:
            self._tell.alarm(
                say("What the meters have counted cannot be kept: {error}", error=error)
            )

    def refresh_certificates(self) -> None:
        """Read renewed certificates and revocation lists."""
        self.certificates.refresh()
        self._tell.spawn(self._counts.look())
        self._tell.spawn(self._peer.look())

    @property
    def _refused(self) -> bool:
        return self.client.state.state == "refused"

    def _stands(self, _state: ClientState) -> None:
        if self._refused:
            self._counts.doubt()
        self._tell.change()

    def _revoked(self, revoked: bool) -> None:
        """End what the utility asked, by a certificate that counts no more; take part again."""
        self._end("the hub's own certificate", over=revoked)
        if revoked:
            self._certificate_alarm(
                say(
                    "The certificate of this hub was revoked by {called}: what that asked has "
                    "ended, and the home goes by its default. It has to be enrolled anew",
                    called=self._called,
                )
            )

    def _server_judged(self, verdict: Verdict) -> None:
        """End what a server asked that counts no more, or of which nobody can say so for long."""
        bad = verdict.standing in {Standing.REVOKED, Standing.UNKNOWN}
        self._end("the server's certificate", over=bad)
        self._certificate_alarm(judged_words(verdict, self._called))

    def _server_unasked(self, why: str | None) -> None:
        if why is None:
            _log.info("%s: OCSP answers again", self.name)
            return
        text = unasked_words(why, self._called)
        _log.warning("%s", text)
        self._house.note(SecurityEvent(EventKind.CERTIFICATE, text, self.name))

    def _end(self, why: str, *, over: bool) -> None:
        """End all events, for a reason; they are taken up again when none is left."""
        before, self._ended = self._ended, self._ended | {why} if over else self._ended - {why}
        if bool(before) != bool(self._ended):
            for member in self.client.members:
                member.engine.suspend(suspended=bool(self._ended))

    def _certificate_alarm(self, text: str) -> None:
        self._tell.alarm(text)
        self._house.note(SecurityEvent(EventKind.CERTIFICATE, text, self.name))
        self._log.certificate(self._house.clock.now(), text)

    def _renewed(self, lfdi: str) -> None:
        """Say that there is a new certificate; connections use it from now on."""
        said = say("The certificate for {called} was renewed", called=self._called)
        if self._own_certificate:
            said = say(
                "{renewed}. By it this home's LFDI is {lfdi} now, its SFDI {sfdi}: it registers "
                "anew, and a utility that registers homes by hand must be told; events go on",
                renewed=said,
                lfdi=lfdi,
                sfdi=sfdi(lfdi),
            )
        self._tell.alarm(said)
        self._house.note(SecurityEvent(EventKind.CERTIFICATE, said, self.name))
        self._over.set()


def _source(name: str, index: int) -> str:
    return f"{name}/{index}" if index else name


def _part(image: Image, devices: frozenset[str]) -> Image:
    """Return an image of some devices only."""
    return replace(image, devices={i: d for i, d in image.devices.items() if i in devices})
