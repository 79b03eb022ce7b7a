"""Modules that are loaded when they are first used, and not before.

A hub runs for years on a small computer: what a home has no use for, or once a year, is not to
take its memory meanwhile, nor time at each start. Importing one of ours loads all that it imports,
so the place to put one off is where a part begins that does without it for long:

    if TYPE_CHECKING:
        from der.discovery import finders
    else:
        finders = on_demand("der.discovery.finders")

Type checker and import rules see the plain import. What loads much is loaded by `load` before it
is used on the event loop, so that the control cycle does not wait for it.
"""

import asyncio
from importlib import import_module
from types import ModuleType


class _OnDemand(ModuleType):
    """Stands for a module, and loads it when something of it is asked for."""

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self.__name__), name)


def on_demand(name: str) -> ModuleType:
    """Return what stands for a module until it is used, and passes on to it from then on.

    Args:
        name: Of the module, in full.
    """
    return _OnDemand(name)


async def load(module: ModuleType) -> None:
    """Load what `on_demand` stands for beside the event loop; a loaded module costs nothing.

    Raises:
        ImportError: It is not there.
    """
    await asyncio.to_thread(import_module, module.__name__)
