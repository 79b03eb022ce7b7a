"""What an island gave to whom, and how well: the figures of its record. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from der.sentence import in_turn, listed, say
from hems.emg.words import quantity
from programs.performance import Performance


@dataclass(frozen=True, slots=True)
class Draw:
    """What one kind of load takes and lacks.

    Attributes:
        served_w: What it draws.
        unserved_w: What it would draw besides, if it might.
    """

    served_w: float = 0.0
    unserved_w: float = 0.0


@dataclass(frozen=True, slots=True)
class Tally:
    """One island, from its first moment on.

    Attributes:
        began_at: UTC epoch seconds.
        cause: What brought it about, one sentence.
        event: mRID of the event that asked for it; empty where none did.
        served_wh: By essentiality; -1 stands for what cannot be switched.
        unserved_wh: Likewise, of those loads whose wants are known.
        least_hz: Lowest frequency while it was formed; None before it was.
        most_hz: Highest.
        formed_s: For how long it had a voltage.
        dark_s: For how long it had none.
        settled_s: Time from its begin until it first had one; None if never.
        inside_s: Part of `formed_s` within 1 % of the nominal frequency.
    """

    began_at: float
    cause: str = ""
    event: str = ""
    served_wh: Mapping[int, float] = field(default_factory=dict)
    unserved_wh: Mapping[int, float] = field(default_factory=dict)
    least_hz: float | None = None
    most_hz: float | None = None
    formed_s: float = 0.0
    dark_s: float = 0.0
    settled_s: float | None = None
    inside_s: float = 0.0

    def after(
        self,
        seconds: float,
        draws: Mapping[int, Draw],
        hertz: float | None,
        *,
        formed: bool,
        nominal_hz: float,
    ) -> "Tally":
        """Return the tally after some time.

        Args:
            seconds: How long.
            draws: What was drawn and lacked, by essentiality.
            hertz: The home's frequency; None where it is not known.
            formed: Whether the home had a voltage of its own.
            nominal_hz: What the frequency should be.
        """
        hours = seconds / 3600
        served, unserved = dict(self.served_wh), dict(self.unserved_wh)
        for level, draw in draws.items():
            served[level] = served.get(level, 0.0) + (draw.served_w * hours if formed else 0.0)
            lacked_w = draw.unserved_w + (0.0 if formed else draw.served_w)
            unserved[level] = unserved.get(level, 0.0) + lacked_w * hours
        after = replace(self, served_wh=served, unserved_wh=unserved)
        if not formed:
            return replace(after, dark_s=self.dark_s + seconds)
        settled_s = self.dark_s if self.settled_s is None else self.settled_s
        after = replace(after, formed_s=self.formed_s + seconds, settled_s=settled_s)
        if not hertz:
            return after
        inside = abs(hertz - nominal_hz) <= nominal_hz / 100
        return replace(
            after,
            least_hz=hertz if self.least_hz is None else min(self.least_hz, hertz),
            most_hz=hertz if self.most_hz is None else max(self.most_hz, hertz),
            inside_s=self.inside_s + (seconds if inside else 0.0),
        )

    def performance(self, programme: str, now: float, asked_by: str) -> Performance:
        """Return the record of an island that is over.

        Args:
            programme: Its id.
            now: When it ended, UTC epoch seconds.
            asked_by: Who asked for it.
        """
        served, unserved = sum(self.served_wh.values()), sum(self.unserved_wh.values())
        return Performance(
            programme=programme,
            event=self.event or f"island-{self.began_at:.0f}",
            asked_by=asked_by,
            starts_at=self.began_at,
            ends_at=now,
            asked=served + unserved,
            unit="Wh",
            promised_wh=None,
            delivered_wh=served,
            settled_s=self.settled_s,
            inside_share=self.inside_s / self.formed_s if self.formed_s else None,
            note=self._note(unserved),
        )

    def _note(self, unserved_wh: float) -> str:
        parts = [self.cause] if self.cause else []
        served = [
            say("{energy:.3g} kWh uncontrolled", energy=wh / 1000)
            if level < 0
            else say("{energy:.3g} kWh of essentiality {level}", energy=wh / 1000, level=level)
            for level, wh in sorted(self.served_wh.items(), reverse=True)
            if wh >= 0.5  # noqa: PLR2004 - what rounds to nothing is not worth a word
        ]
        if served:
            parts.append(say("served: {energies}", energies=listed(served)))
        if unserved_wh >= 0.5:  # noqa: PLR2004
            parts.append(say("not served: {energy}", energy=quantity(unserved_wh, "Wh")))
        if self.least_hz is not None and self.most_hz is not None:
            parts.append(
                say("{least:.2f} to {most:.2f} Hz", least=self.least_hz, most=self.most_hz)
            )
        parts.append(say("dark for {dark:.0f} s", dark=self.dark_s))
        return in_turn(parts)
