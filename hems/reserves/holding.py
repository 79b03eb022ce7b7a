"""What a plan must leave in each battery for what is committed: pure."""

from collections.abc import Mapping, Sequence

from hems.cem.slots import Slots
from programs.capability import Store
from programs.commitment import ALMOST, Commitment, held


def by_slot(
    commitments: Sequence[Commitment], stores: Sequence[Store], slots: Slots
) -> Mapping[str, tuple[float, ...]]:
    """Return the energy inside each battery, beside its reserve, at each slot's end.

    A slot that ends before an interval and whose successor does not is held to what the interval
    begins with: it may begin between the two ends.

    Args:
        commitments: What is committed.
        stores: The batteries.
        slots: The plan's steps of time.

    Returns:
        By device id, Wh by slot; nothing where nothing is committed within the plan.
    """
    if not any(c.starts_at < slots.end and c.ends_at > slots.start for c in commitments):
        return {}
    return {
        store.device: tuple(
            _held_wh(commitments, store, stores, start + slots.step_s, slots.step_s)
            for start in slots
        )
        for store in stores
    }


def _held_wh(
    commitments: Sequence[Commitment],
    store: Store,
    stores: Sequence[Store],
    at: float,
    step_s: float,
) -> float:
    present = [c for c in commitments if c.starts_at < at + step_s and at < c.ends_at]
    if not present:
        return 0.0
    needed_wh = held(present, store, stores, at).energy_wh * (1.0 + ALMOST) / store.given
    return min(needed_wh, store.full_wh)
