"""What the home notes of what it was asked, told its devices and saw them do: the effect ledger."""

import logging
from collections.abc import Callable, Iterable

from hems.cem.effects import Effect as Written
from hems.correlation import correlated
from hems.image import Image
from hems.participation.observed import Observed
from hems.store.effects import Effect
from programs.proposal import HOME
from programs.signal import Signal
from programs.support import Place

_log = logging.getLogger(__name__)

_Asked = tuple[str, str, float]
_Told = tuple[str, str, str | None]


class Noting:
    """Keeps the ledger of effects; whoever makes it has `note` write.

    What an event asks, and that a device is told for it, is logged once, under the event's mRID:
    within an event set-points may change each second.

    Args:
        note: Takes what is to be written; must not block.
        refuse: Told of an event, by what and why a device refuses it.
    """

    def __init__(
        self, note: Callable[[Effect], None], refuse: Callable[[str, Place, str], None]
    ) -> None:
        self._note = note
        self._refuse = refuse
        self._observed = Observed()
        self._asked: frozenset[_Asked] = frozenset()
        self._told: frozenset[_Told] = frozenset()

    def asked(self, signals: Iterable[Signal], now: float) -> None:
        """Note what is asked of the home as a whole.

        Args:
            signals: What the utilities ask.
            now: UTC epoch seconds.
        """
        asked: set[_Asked] = set()
        for signal in signals:
            each = (signal.event, signal.kind.value, signal.value)
            asked.add(each)
            if each not in self._asked:
                with correlated(signal.event):
                    _log.info("the home is asked: %s %g", signal.kind.value, signal.value)
            self._note(
                Effect(signal.event, signal.kind.value, HOME, value=signal.value, received_at=now)
            )
        for event in {event for event, *_ in self._asked} - {event for event, *_ in asked}:
            with correlated(event):
                _log.info("the home is not asked any more")
        self._asked = frozenset(asked)
        self._told = frozenset(each for each in self._told if each[0] in {e for e, *_ in asked})

    def seen(self, image: Image) -> None:
        """Note what devices are seen to obey."""
        for seen in self._observed.look(image):
            self._note(seen)

    def written(self, effect: Written) -> None:
        """Note the outcome of a write; what a device refuses is told to who asked."""
        self._observed.told(effect)
        if effect.event and effect.refused is not None:
            self._refuse(effect.event, effect.refused, effect.error or "it is refused")
        if effect.event and not effect.refresh:
            self._say(effect)
            self._note(
                Effect(
                    event=effect.event,
                    mode=effect.source,
                    device=effect.device,
                    setpoint_w=effect.setpoint_w,
                    decided_at=effect.decided_at,
                    written_at=effect.written_at,
                    reason=effect.error or effect.support or None,
                )
            )

    def _say(self, effect: Written) -> None:
        each = (effect.event, effect.device, effect.error)
        if each in self._told:
            return
        self._told = (self._told | {each}) - {
            old for old in self._told if old[:2] == each[:2] and old != each
        }
        with correlated(effect.event):
            if effect.error is not None:
                _log.info("%s does not take what it is told: %s", effect.device, effect.error)
            else:
                what = effect.support or _set(effect.setpoint_w)
                _log.info("%s is told, and has confirmed: %s", effect.device, what)


def _set(power_w: float | None) -> str:
    return "its own control" if power_w is None else f"{power_w:.0f} W"
