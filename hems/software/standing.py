"""How the hub's own software stands, by its record and by what is offered. Pure."""

from dataclasses import dataclass
from typing import Final

from der.sentence import Template
from hems.bulletin import Release
from hems.software.suiting import barred, made_for
from hems.software.surface import OfferView, Stage
from hems.software.switch import Phase, State

CLAUSES: Final = (
    Template("it did not prove itself"),
    Template("it did not prove itself within {starts} starts"),
    Template("it did not prove itself within {minutes} minutes"),
    Template("it has ended, and says that it is of no use to start it"),
    Template("{place} cannot be started"),
)
"""What record and launcher say of a version, in plain English: they load nothing that could be
missing. Named here they are translated, and known again by their words (`web.catalogue`)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an offer is judged by beside the record.

    Attributes:
        python: The machine's Python: major and minor number.
        machine: As `uname -m` has it.
        vendor: Who makes and signs the hub's software.
        provider: Where it is offered: a host, or a folder.
        put_off: The version that the owner does not want; empty for none.
    """

    python: str
    machine: str
    vendor: str
    provider: str
    put_off: str


def offer(release: Release | None, state: State, terms: Terms) -> OfferView | None:
    """Return a newer version as its owner sees it; None where there is none.

    Args:
        release: What the lists that count offer.
        state: The record of the sides.
        terms: What it is judged by.
    """
    if release is None:
        return None
    return OfferView(
        version=release.version,
        words=release.advisory,
        vendor=terms.vendor,
        provider=terms.provider,
        fits=any(made_for(each, terms.python, terms.machine) for each in release.packages),
        failed=barred(release.version, state),
        put_off=release.version == terms.put_off,
    )


def is_news(offered: OfferView, state: State) -> bool:
    """Whether nobody has dealt with an offer yet, and it may be had."""
    dealt_with = offered.put_off or offered.failed or state.phase is not Phase.SETTLED
    return offered.fits and not dealt_with


def stage(state: State) -> tuple[Stage, str]:
    """Return how far a change is that nothing is being done for now, and to which version."""
    if state.phase is Phase.TRIAL:
        return Stage.TRIAL, state.version(state.current)
    if not state.candidate:
        return Stage.IDLE, ""
    waits = Stage.ARMED if state.phase is Phase.ARMED else Stage.BESIDE
    return waits, state.version(state.candidate)
