"""What the home's devices can do, kept over a restart: the utility is not told too little.

Which control modes a home carries out hangs on what its devices say when they are asked, which they
are when they have been opened. An event that came before would be refused for good. So what was
learnt is kept, and what was never learnt is waited for, a little, before a utility is spoken to.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from der.commands import Ability, DeviceOptions
from der.curves import GridFunction
from der.model import DeviceSpec
from der.sentence import say
from hems.cem.abilities import Abilities
from hems.store.errors import StoreError
from hems.store.settings import Settings
from programs.rules import PRODUCING

KEY: Final = "abilities"
LONGEST_WAIT_S: Final = 5.0
"""Nobody waits longer for a device that has never answered."""


class _Kept(BaseModel):
    """What is kept of one device."""

    model_config = ConfigDict(from_attributes=True, extra="ignore", allow_inf_nan=False)

    abilities: frozenset[Ability]
    functions: frozenset[GridFunction]
    untimed: frozenset[GridFunction] = frozenset()
    absorbed_var: float | None = None
    injected_var: float | None = None
    rated_va: float | None = None

    def options(self) -> DeviceOptions:
        """Return it in house words."""
        return DeviceOptions(
            self.abilities,
            self.functions,
            untimed=self.untimed,
            absorbed_var=self.absorbed_var,
            injected_var=self.injected_var,
            rated_va=self.rated_va,
        )


_ALL: Final = TypeAdapter(dict[str, _Kept])


class KeptAbilities:
    """Keeps what devices can do.

    Args:
        settings: Where it is kept.
        specs: The home's devices.
        changed: Told when something was learnt; must not block.
        alarm: Told in one sentence what the owner should know.

    Attributes:
        present: What devices can do, as known now.
    """

    def __init__(
        self,
        settings: Settings,
        specs: Iterable[DeviceSpec],
        changed: Callable[[], None],
        alarm: Callable[[str], None],
    ) -> None:
        self.present = Abilities()
        self.present.on_change = self._learnt
        self._settings = settings
        self._ids = {s.id for s in specs}
        self._asked_first = {s.id for s in specs if s.control in PRODUCING and s.min_w < 0}
        self._changed = changed
        self._alarm = alarm
        self._news = asyncio.Event()
        self._all = asyncio.Event()

    async def load(self) -> None:
        """Take up what was known before a restart."""
        try:
            text = (await self._settings.all()).get(KEY)
            kept = {} if text is None else _ALL.validate_json(text)
        except (StoreError, ValidationError) as error:
            self._alarm(
                say(
                    "What the devices can do must be asked anew: {first_line}",
                    first_line=_first_line(error),
                )
            )
            kept = {}
        self.present.take_up({i: k.options() for i, k in kept.items() if i in self._ids})
        self._look()

    async def run(self) -> None:
        """Keep what is learnt until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            kept = {i: _Kept.model_validate(o) for i, o in self.present.options.items()}
            try:
                await self._settings.put(KEY, _ALL.dump_json(kept).decode())
            except StoreError as error:
                self._alarm(say("What the devices can do cannot be kept: {error}", error=error))

    async def known(self) -> None:
        """Return once each inverter has said what it can do, now or before, or has had its time."""
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                await self._all.wait()
        except TimeoutError:
            return

    def _look(self) -> None:
        if self._asked_first <= self.present.options.keys():
            self._all.set()

    def _learnt(self) -> None:
        self._look()
        self._news.set()
        self._changed()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
