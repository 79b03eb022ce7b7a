"""The stops of the walk that bring prices: tariffs, their components, intervals and blocks."""

import logging
from dataclasses import dataclass

from hems.sep2 import resources as res
from hems.sep2.book.kinds import kind_of
from hems.sep2.book.prices import Quote
from hems.sep2.codec.reading import BadItem
from hems.sep2.enddevice.offers import safe_place
from hems.sep2.errors import PermanentError, RejectedError, Sep2Error, TrustError
from hems.sep2.rules.events import Program
from hems.sep2.walk.control_stops import ControlsStop, note_programs
from hems.sep2.walk.trip import BaseStop, seen
from hems.sep2.walk.walker import Stop, Visit

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TariffProfilesStop(BaseStop):
    """TariffProfileList, with the components of each tariff and what these price.

    A component is to its intervals what a programme is to its controls.
    """

    async def visit(self) -> Visit:
        """Find the intervals of each component."""
        bad: list[BadItem] = []
        got = await self.trip.transport.get_list(
            self.href, res.TariffProfileList, on_bad=bad.append
        )
        quotes: list[Quote] = []
        children: list[Stop] = []
        for profile in got.tariff_profile:
            quote = await self._quote(profile, bad)
            quotes.append(quote)
            for component, _ in quote.components:
                name = component.description or profile.description or ""
                program = Program(component.mrid.upper(), name, profile.primacy)
                href = component.time_tariff_interval_list_link.href
                kind = kind_of(res.TimeTariffInterval)
                children.append(IntervalsStop(self.trip, href, program, kind))
        audience = self.trip.audience(self.href)
        for each in audience:
            source = safe_place(self.href)
            each.engine.prices.retain(each.programs.lists | {source})
            each.engine.prices.set_quotes(source, quotes)
        components = [component for quote in quotes for component, _ in quote.components]
        await note_programs(self, audience, components, bad, res.TimeTariffInterval)
        self.trip.lead(self.href, [child.href for child in children])
        return seen(got, children, got.poll_rate)

    async def _quote(self, profile: res.TariffProfile, bad: list[BadItem]) -> Quote:
        """Read the components of a tariff; one whose ReadingType is not to be had is left out."""
        wire, link = self.trip.transport, profile.rate_component_list_link
        if link is None:
            return Quote(profile)
        listed = await wire.get_list(link.href, res.RateComponentList, on_bad=bad.append)
        found: list[tuple[res.RateComponent, res.ReadingType]] = []
        for component in listed.rate_component:
            try:
                priced = await wire.get(component.reading_type_link.href, res.ReadingType)
            except TrustError:
                raise
            except (PermanentError, RejectedError) as error:
                _log.warning("prices of %s are left out: %s", component.mrid, error)
            else:
                found.append((component, priced))
        return Quote(profile, tuple(found))


@dataclass(frozen=True, slots=True)
class IntervalsStop(ControlsStop):
    """TimeTariffIntervalList of one component, and the consumption blocks of each interval."""

    async def visit(self) -> Visit:
        """Take the intervals in, then read the blocks that are not known or may have changed."""
        visit = await ControlsStop.visit(self)
        await self._read_blocks()
        return visit

    async def take(self, resource: res.Resource) -> bool:
        """Take in what a notification brought, as far as that says all."""
        taken = await ControlsStop.take(self, resource)
        return taken and not any(
            e.engine.missing_blocks(self.program.mrid) for e in self.trip.audience(self.href)
        )

    async def _read_blocks(self) -> None:
        audience = self.trip.audience(self.href)
        missing: dict[str, str] = {}
        for each in audience:
            missing.update(each.engine.missing_blocks(self.program.mrid))
        wrong: Sep2Error | None = None
        for mrid, href in missing.items():
            bad: list[BadItem] = []
            try:
                got = await self.trip.transport.get_list(
                    href, res.ConsumptionTariffIntervalList, on_bad=bad.append
                )
            except TrustError:
                raise
            except (PermanentError, RejectedError) as error:
                wrong = _unpriced(mrid, error)
            else:
                for each in audience:
                    each.engine.prices.set_blocks(mrid, got.consumption_tariff_interval)
                if bad:
                    wrong = _unpriced(mrid, bad[0].error)
        if missing:
            self.trip.tell.trouble(f"prices {self.href}", wrong)


def _unpriced(mrid: str, error: Sep2Error) -> Sep2Error:
    """Return what to tell of an interval whose prices cannot be read; it is logged where told."""
    return PermanentError(f"Prices of interval {mrid} are left out: {error}")
