"""The list of trusted devices of one home, put together with its devices and its alarms."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from der.commands import DeviceOptions
from der.description import CalledIn
from der.registry import Registry
from hems.alarms import Alarms
from hems.clock import Clock
from hems.emg.trust.trust import Trust, TrustEvents
from hems.security_event import Note
from hems.store.store import Store


def trust_of(
    registry: Registry,
    store: Store,
    clock: Clock,
    alarms: Alarms,
    note: Note,
    *,
    spawn: Callable[[Coroutine[Any, Any, None]], None],
    changed: Callable[[], None],
) -> Trust:
    """Return the list of a home's trusted devices; its devices are looked at from now on.

    Args:
        registry: The home's devices.
        store: Where the list is kept.
        clock: Where the time comes from.
        alarms: Where is said what is wrong.
        note: Told what bears on security.
        spawn: Runs something beside the control cycle.
        changed: Told when devices stand otherwise than before; must not block.
    """
    return Trust(
        store.settings,
        registry.devices,
        clock,
        TrustEvents(alarms.lasting, spawn, changed, note),
        doors=[each for each in registry.services.values() if isinstance(each, CalledIn)],
    )


def believed(options: Mapping[str, DeviceOptions], trust: Trust) -> Mapping[str, DeviceOptions]:
    """Return what devices say that they can do, without those that are not trusted."""
    standings = trust.standings
    return {
        name: said
        for name, said in options.items()
        if name not in standings or not standings[name].why
    }
