"""What the home's devices can do beyond reading, as they said themselves when they were asked."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from der.commands import DeviceOptions


class Abilities:
    """What each device can do; kept while a device cannot be reached.

    Args:
        known: What is known from before, by device id.

    Attributes:
        on_change: Told when something was learnt that was not known; must not block.
    """

    def __init__(self, known: Mapping[str, DeviceOptions] | None = None) -> None:
        self._options: dict[str, DeviceOptions] = dict(known or {})
        self._asked: set[str] = set()
        self.on_change: Callable[[], None] = lambda: None

    @property
    def options(self) -> Mapping[str, DeviceOptions]:
        """What each device can do, by id, as far as it is known."""
        return self._options

    @property
    def asked(self) -> frozenset[str]:
        """Ids of the devices that have answered since the start."""
        return frozenset(self._asked)

    def take_up(self, known: Mapping[str, DeviceOptions]) -> None:
        """Take up what was known before a restart; what devices said since counts."""
        self._options = {**known, **self._options}

    def learn(self, device: str, options: DeviceOptions) -> None:
        """Take in what a device answered; a rating that cannot be counts as not said."""
        options = replace(
            options,
            absorbed_var=_rating(options.absorbed_var),
            injected_var=_rating(options.injected_var),
            rated_va=_rating(options.rated_va) or None,
        )
        news = device not in self._asked or self._options.get(device) != options
        self._asked.add(device)
        self._options[device] = options
        if news:
            self.on_change()


def _rating(said: float | None) -> float | None:
    return said if said is not None and 0.0 <= said < math.inf else None
