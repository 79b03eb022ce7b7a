"""What leaving means, said before anybody leaves; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from der.sentence import Quantity, say
from hems.participation.asked import Asked
from hems.participation.measure import Measurement
from programs.performance import Performance

_LONG_WH: Final = 1000.0
_OVER: Final = frozenset({"completed", "cancelled", "superseded", "rejected"})


@dataclass(frozen=True, slots=True)
class Pay:
    """What a programme pays for what is delivered.

    Attributes:
        per_kwh: For a kilowatt-hour.
        currency: ISO 4217 letters.
    """

    per_kwh: float
    currency: str

    def of(self, energy_wh: float) -> Quantity:
        """Return what an energy is paid with: "0.12 EUR"."""
        return Quantity(f"{self.per_kwh * max(energy_wh, 0.0) / 1000.0:.2f}", self.currency)


def of_event(asked: Asked, known: Sequence[Measurement], now: float, pay: Pay | None = None) -> str:
    """Return in one sentence what leaving an event now means; empty where it is over.

    Args:
        asked: The event.
        known: What of it has been measured.
        now: UTC epoch seconds.
        pay: What its programme pays; None where that is not known.
    """
    if asked.state in _OVER:
        return ""
    if asked.binding:
        return say(
            "It cannot be left: by the agreement the events of {asked_by} bind.",
            asked_by=asked.asked_by,
        )
    if now < asked.starts_at or not known:
        return say(
            "Leaving it now, it is answered with opt-out (code 4), and nothing of it is delivered."
        )
    delivered = _delivered(known, now, pay)
    if asked.opted_out:
        return say(
            "It was left, and is answered as partly completed (code 8), {delivered}.",
            delivered=delivered,
        )
    return say(
        "Leaving it now, it is answered as partly completed (code 8), {delivered}.",
        delivered=delivered,
    )


def _delivered(known: Sequence[Measurement], now: float, pay: Pay | None) -> str:
    """Return what was delivered so far, to go on a sentence with."""
    first = known[0]
    task = first.task
    lasted_s = min(max(now - task.starts_at, 0.0), task.length_s)
    done_wh = first.delivered_wh(task.baseline_w)
    whole_wh = task.promised_wh
    if done_wh is None or whole_wh is None:
        words = say(
            "after {lasted:.0f} of {length:.0f} min",
            lasted=lasted_s / 60,
            length=task.length_s / 60,
        )
    else:
        words = say(
            "with {done} of {whole} delivered",
            done=energy(max(done_wh, 0.0)),
            whole=energy(whole_wh),
        )
        if pay is not None:
            left_wh = max(whole_wh - done_wh, 0.0)
            words = say(
                "{delivered}: {earned} earned, {lost} given up",
                delivered=words,
                earned=pay.of(done_wh),
                lost=pay.of(left_wh),
            )
    if first.comfort_s:
        words = say(
            "{delivered}; a temperature has been missed for {minutes:.0f} min",
            delivered=words,
            minutes=first.comfort_s / 60,
        )
    return words


def of_programme(
    leaving: str,
    events: Sequence[str],
    past: Sequence[Performance],
    days: int,
    pay: Pay | None = None,
) -> tuple[str, ...]:
    """Return what leaving a programme means, a sentence each.

    Args:
        leaving: What it means always (`About.leaving`).
        events: What it means for each of its events that runs or is to come, and what stays.
        past: What it delivered of late.
        days: In how many days.
        pay: What it pays; None where that is not known.
    """
    said = [sentence(leaving)] if leaving else []
    said += [each for each in events if each]
    count, delivered = _delivered_once(past)
    if past:
        sum_wh = sum(delivered)
        words = say(
            "It had one event in the last {days} days | "
            "It had {count} events in the last {days} days",
            days=days,
            count=count,
        )
        if delivered:
            words = say("{events} and delivered {energy}", events=words, energy=energy(sum_wh))
            if pay is not None:
                words = say("{delivered}, for {paid}", delivered=words, paid=pay.of(sum_wh))
        said.append(sentence(words))
    return tuple(said)


def _delivered_once(past: Sequence[Performance]) -> tuple[int, Sequence[float]]:
    """Return how many events there were, and what each delivered that is known to have, Wh.

    One that asked several things has a record for each, all of the same energy.
    """
    events: dict[tuple[str, str], float | None] = {}
    for each in past:
        key, done_wh = (each.event, each.lfdi), each.delivered_wh
        known_wh = events.get(key)
        events[key] = done_wh if known_wh is None else max(known_wh, done_wh or 0.0)
    return len(events), [wh for wh in events.values() if wh is not None]


def sentence(words: str) -> str:
    """Return words that end as a sentence does."""
    return words if words.endswith((".", "!", "?")) else say("{clause}.", clause=words)


def energy(energy_wh: float) -> Quantity:
    """Return an energy for the owner to read: "1.5 kWh", "120 Wh"."""
    if abs(energy_wh) >= _LONG_WH:
        return Quantity(f"{energy_wh / 1000.0:.3g}", "kWh")
    return Quantity(f"{energy_wh:.0f}", "Wh")
