"""What the home notes of what it was asked, told its devices and saw them do: the effect ledger."""

from collections.abc import Callable, Iterable

from hems.cem.effects import Effect as Written
from hems.image import Image
from hems.participation.observed import Observed
from hems.store.effects import Effect
from programs.proposal import HOME
from programs.signal import Signal
from programs.support import Place


class Noting:
    """Keeps the ledger of effects; whoever makes it has `note` write.

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

    def asked(self, signals: Iterable[Signal], now: float) -> None:
        """Note what is asked of the home as a whole.

        Args:
            signals: What the utilities ask.
            now: UTC epoch seconds.
        """
        for signal in signals:
            self._note(
                Effect(signal.event, signal.kind.value, HOME, value=signal.value, received_at=now)
            )

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
