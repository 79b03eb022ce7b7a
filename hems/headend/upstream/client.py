"""The aggregator at its utility: one certificate, its own EndDevice and those of its homes."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from certs.identity import IdentityFiles, Trust, lfdi, sfdi
from certs.pem import der, read_certificates
from certs.revocation import RevocationWatch
from certs.tls import client_context, server_context
from hems.clock import Clock
from hems.headend.upstream.aggregator import Aggregator, AggregatorSettings, Group, Means
from hems.headend.upstream.asks import SHARED_MODES
from hems.headend.upstream.ledger import RECENT_S, Transactions, UpstreamLedger
from hems.headend.upstream.metering import Totals, point_of
from hems.headend.upstream.port import Downstream, Reading
from hems.headend.upstream.settings import UpstreamSettings
from hems.headend.upstream.shared import Shared
from hems.headend.upstream.shelf import Shelf
from hems.headend.upstream.telling import BY_CLIENT
from hems.sep2.client import Client, ClientSettings, ClientState, ListenSettings
from hems.sep2.enddevice.enrolment import MemberSettings, Standing
from hems.sep2.enddevice.registration import Identity
from hems.sep2.rules.lifecycle import Profile
from hems.sep2.transport.http import Transport
from hems.sep2.walk.walker import Pace

_DAY_S = 86_400.0


class Upstream:
    """The aggregator with its client at the utility.

    Args:
        settings: See `UpstreamSettings`.
        database: The head-end's, which has the aggregator's tables.
        port: The head-end that has the homes.
        clock: Our own time.
        alarm: Told in one sentence what the operator should know.

    Raises:
        certs.errors.CertificateError: A certificate or key cannot be used.

    Attributes:
        client: At the utility.
        aggregator: Which shares.
    """

    def __init__(
        self,
        settings: UpstreamSettings,
        database: Transactions,
        port: Downstream,
        clock: Clock,
        *,
        alarm: Callable[[str], None],
    ) -> None:
        identity = IdentityFiles(settings.certificate, settings.key)
        trust = Trust(settings.roots, settings.crls)
        own = lfdi(der(read_certificates(settings.certificate)[0]))
        self._watch = watch = RevocationWatch(trust.crls)
        outgoing = watch.cover(client_context(identity, trust))
        incoming = watch.cover(server_context(identity, trust))
        self._ledger = ledger = UpstreamLedger(database, clock)
        self._shelf = Shelf(database)
        self._clock = clock
        self._kept_s = settings.window_days * _DAY_S + RECENT_S
        self._spec = point_of(own, settings.post_s)
        self._totals = Totals(self._spec, settings.post_s, settings.stale_s)
        self.client = Client(
            self._client_settings(settings, own),
            lambda base: Transport(base, outgoing, schema_ver=settings.edition.schema_ver),
            ledger,
            clock,
            random.Random(),  # noqa: S311 - draws and jitter, no secrets
            listen_context=incoming,
            on_schedule=lambda _schedule: self._wake(),
            on_member=lambda _index, _schedule: self._wake(),
            alarm=alarm,
        )
        lfdis = [own, *(device.lfdi.upper() for device in settings.devices)]
        self.aggregator = Aggregator(
            AggregatorSettings(
                settings.name,
                settings.edition.profile(SHARED_MODES),
                settings.sharing(),
                lead_s=settings.lead_s,
                look_s=settings.look_s,
            ),
            [
                Group(member.engine, one, one if index else None)
                for index, (member, one) in enumerate(zip(self.client.members, lfdis, strict=True))
            ],
            Means(self._shelf, ledger, port, clock),
            listed=self._listed,
            on_owed=self.client.post_owed,
            on_readings=self._meter,
        )

    def _client_settings(self, settings: UpstreamSettings, own: str) -> ClientSettings:
        profile = _profile(settings)
        return ClientSettings(
            identity=Identity(own, sfdi(own), int(settings.pin)),
            server=settings.name,
            url=settings.url,
            profile=profile,
            pace=Pace(least_poll_s=settings.poll_least_s),
            comms_loss_s=settings.comms_loss_s,
            listen=ListenSettings(settings.notify_host, settings.notify_port),
            mirrors=(self._spec,),
            level=settings.edition.level,
            registers=False,
            others=tuple(
                MemberSettings(
                    Identity(device.lfdi.upper(), sfdi(device.lfdi.upper()), int(device.pin)),
                    profile,
                    registers=settings.register_devices,
                )
                for device in settings.devices
            ),
            certificate=own,
        )

    @property
    def link(self) -> str:
        """How the link to the utility stands, in a word."""
        return self.client.state.state

    @property
    def shared(self) -> Mapping[str, Shared]:
        """The events that are shared and not over, by id."""
        return self.aggregator.shared

    @property
    def state(self) -> ClientState:
        """How the link to the utility stands."""
        return self.client.state

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.client.run())
            group.create_task(self.aggregator.run())

    async def keep(self) -> None:
        """Keep house: read new revocation lists, forget what was over long ago.

        Raises:
            BusyError: The database cannot serve now.
            hems.sep2.book.ledger.LedgerError: The same.
        """
        self._watch.refresh()
        await self._ledger.forget_old()
        await self._shelf.forget(self._clock.now() - self._kept_s)

    def _wake(self) -> None:
        self.aggregator.wake()

    def _listed(self) -> frozenset[str]:
        members = self.client.members[1:]
        return frozenset(m.lfdi for m in members if m.standing is Standing.ENROLLED)

    def _meter(self, readings: Sequence[Reading], now: float) -> None:
        total = self._totals.total(readings, now)
        if total is not None:
            self.client.add_sample(total)


def _profile(settings: UpstreamSettings) -> Profile:
    """Return what the client answers by itself; see `hems.headend.upstream.telling`."""
    full = settings.edition.profile(SHARED_MODES)
    return replace(full, codes=full.codes & BY_CLIENT)
