"""The use cases at work: the parts that remember and act beside the control cycle.

What a programme asks is decided purely (`programs`); what it needs to know over time (a commitment,
a price, an island's state) is kept by one part each, and this is what the parts have in common.
"""

from collections.abc import Sequence
from typing import Protocol

from hems.image import Image
from programs.about import Standing
from programs.registry import Policies


class Use(Protocol):
    """One use case's part of the running home."""

    async def load(self) -> None:
        """Take up what was kept before a restart; says by alarm what could not be."""
        ...

    async def run(self) -> None:
        """Serve until cancelled."""
        ...

    def take_image(self, image: Image) -> None:
        """Take in what the devices said; each cycle, must not block."""
        ...

    def applied(self, policies: Policies) -> Policies:
        """Return the policies with what this part has to say put in."""
        ...

    @property
    def standings(self) -> Sequence[Standing]:
        """How its programmes stand now."""
        ...
