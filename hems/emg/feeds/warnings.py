"""Tells the owner what the enterprise warns of, and has addresses shut off that it names."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from certs.identity import lfdi, sfdi
from der.sentence import say
from hems.bulletin import Bulletin, Severity
from hems.clock import Clock
from hems.emg.feeds.reader import alerts


@dataclass(frozen=True, slots=True)
class Hands:
    """What is done about alerts; none of it may block.

    Attributes:
        alarm: Told in one sentence what the owner should know, by its source; None once it is over.
        networks: Told all addresses and networks from which nobody is to be heard.
    """

    alarm: Callable[[str, str | None], None]
    networks: Callable[[frozenset[str]], None]


class Warnings:
    """The alerts in force.

    Args:
        bulletin: Returns the bulletin; None for none.
        clock: Where the time comes from.
        hands: What is done about them.
    """

    def __init__(self, bulletin: Callable[[], Bulletin | None], clock: Clock, hands: Hands) -> None:
        self._bulletin = bulletin
        self._clock = clock
        self._hands = hands
        self._alarms: dict[str, str] = {}
        self._networks: frozenset[str] | None = None

    @property
    def identities(self) -> frozenset[str]:
        """LFDIs, SFDIs, and fingerprints of certificates and keys, that alerts name."""
        return frozenset(
            name
            for each in alerts(self._bulletin(), self._clock.now())
            for name in (*each.lfdis, *map(str, each.sfdis), *each.fingerprints)
        )

    def look(self) -> None:
        """Begin what is new, end what is over."""
        bulletin = self._bulletin()
        held = alerts(bulletin, self._clock.now())
        told = {
            f"feed {each.id}": say(
                "{enterprise} warns: {text}",
                enterprise="" if bulletin is None else bulletin.enterprise,
                text=each.text,
            )
            for each in held
            if each.severity is not Severity.INFO
        }
        for source in self._alarms.keys() - told.keys():
            self._hands.alarm(source, None)
        for source, text in told.items():
            self._hands.alarm(source, text)
        self._alarms = dict(told)
        networks = frozenset(network for each in held for network in each.networks)
        if networks != self._networks:
            self._networks = networks
            self._hands.networks(networks)


def named(certificate: bytes, identities: frozenset[str]) -> bool:
    """Return whether a certificate is one that alerts name.

    Args:
        certificate: In DER.
        identities: As `Warnings.identities` has them.
    """
    own = lfdi(certificate)
    digest = hashlib.sha256(certificate).hexdigest()
    return not identities.isdisjoint({own, str(sfdi(own)), digest})
