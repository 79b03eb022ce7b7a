"""The tariffs of one device at one server: what the stops of the walk bring, put together.

`hems.sep2.rules.tariff` works out prices; here is what it needs: tariff profiles and their
components as last read, the intervals from the event book, and the blocks of each interval.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hems.sep2 import resources as res
from hems.sep2.book.memory import Entry
from hems.sep2.book.rates import component_of, priced, tariff_of
from hems.sep2.rules.lifecycle import Phase
from hems.sep2.rules.tariff import Component, Priced, Tariff


@dataclass(frozen=True, slots=True)
class Quote:
    """A tariff profile with its components, each with what it prices, as read."""

    profile: res.TariffProfile
    components: tuple[tuple[res.RateComponent, res.ReadingType], ...] = ()


class Prices:
    """The tariffs that apply to a device."""

    def __init__(self) -> None:
        self._quotes: dict[str, tuple[Quote, ...]] = {}
        self._blocks: dict[str, tuple[res.ConsumptionTariffInterval, ...]] = {}

    def set_quotes(self, source: str, quotes: Sequence[Quote]) -> None:
        """Set what a TariffProfileList holds.

        Args:
            source: Where the list is.
            quotes: All that is in it; none if the list is gone.
        """
        if quotes:
            self._quotes[source] = tuple(quotes)
        else:
            self._quotes.pop(source, None)

    def retain(self, sources: Iterable[str]) -> None:
        """Drop what came from other lists than these."""
        kept = set(sources)
        self._quotes = {s: q for s, q in self._quotes.items() if s in kept}

    def set_blocks(self, mrid: str, blocks: Sequence[res.ConsumptionTariffInterval]) -> None:
        """Set the consumption blocks of an interval."""
        self._blocks[mrid] = tuple(blocks)

    def missing(self, entries: Iterable[Entry], component: str) -> Mapping[str, str]:
        """Return where the blocks of a component's intervals are that should be read.

        These are those that are not known, and that of the interval in force, in which a server
        may change them.

        Args:
            entries: All events of the device.
            component: mRID of the component.

        Returns:
            href of the ConsumptionTariffIntervalList by mRID of the interval.
        """
        return {
            entry.event.mrid: control.consumption_tariff_interval_list_link.href
            for entry in entries
            if isinstance(control := entry.control, res.TimeTariffInterval)
            and entry.event.program.mrid == component
            and control.consumption_tariff_interval_list_link is not None
            and not entry.progress.phase.over
            and (entry.event.mrid not in self._blocks or entry.progress.phase is Phase.STARTED)
        }

    def forget(self, mrids: Iterable[str]) -> None:
        """Let go of the blocks of intervals other than these."""
        kept = set(mrids)
        self._blocks = {m: b for m, b in self._blocks.items() if m in kept}

    def tariffs(self, entries: Iterable[Entry]) -> tuple[Tariff, ...]:
        """Return all electricity tariffs in neutral words; times are of the server's clock.

        Args:
            entries: All events of the device.
        """
        intervals: dict[str, list[Entry]] = {}
        for entry in entries:
            priced_here = isinstance(entry.control, res.TimeTariffInterval)
            if priced_here and entry.progress.phase is not Phase.REJECTED:
                intervals.setdefault(entry.event.program.mrid, []).append(entry)
        quotes = {q.profile.mrid.upper(): q for each in self._quotes.values() for q in each}
        made = (tariff_of(q.profile, self._components(q, intervals)) for q in quotes.values())
        return tuple(tariff for tariff in made if tariff is not None)

    def _components(
        self, quote: Quote, intervals: Mapping[str, Sequence[Entry]]
    ) -> Iterable[Component]:
        for component, reading_type in quote.components:
            spans: list[Priced] = [
                priced(
                    entry.progress.held,
                    self._blocks.get(entry.event.mrid, ()),
                    quote.profile,
                    reading_type,
                )
                for entry in intervals.get(component.mrid.upper(), ())
            ]
            found = component_of(component, reading_type, spans)
            if found is not None:
                yield found
