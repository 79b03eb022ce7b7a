"""The effect ledger: each step adds what it knows, and a restart finds the rest."""

from dataclasses import replace

from hems.store.effects import Effect
from hems.store.store import Store

BATTERY = Effect("E1", "import-limit", "battery", value=1500.0, received_at=10.0)


async def test_each_step_adds_what_it_knows(store: Store) -> None:
    key = ("E1", "import-limit", "battery")
    await store.effects.note([BATTERY])
    await store.effects.note(
        [Effect(*key, setpoint_w=-4500.0, decided_at=10.1, written_at=10.2, reason="Peak day")]
    )
    await store.effects.note([Effect(*key, observed_w=-4490.0, observed_at=11.0)])
    await store.effects.note([Effect(*key, responded_at=11.5)])
    assert list(await store.effects.of_event("E1")) == [
        Effect(
            *key,
            value=1500.0,
            setpoint_w=-4500.0,
            observed_w=-4490.0,
            received_at=10.0,
            decided_at=10.1,
            written_at=10.2,
            observed_at=11.0,
            responded_at=11.5,
            reason="Peak day",
        )
    ]


async def test_received_and_obeyed_count_the_first_time_and_the_rest_the_last(
    store: Store,
) -> None:
    first = replace(BATTERY, observed_at=11.0, decided_at=10.1, setpoint_w=-4500.0)
    await store.effects.note([first])
    await store.effects.note(
        [replace(first, received_at=99.0, observed_at=99.0, decided_at=99.0, setpoint_w=0.0)]
    )
    (effect,) = await store.effects.of_event("E1")
    assert (effect.received_at, effect.observed_at) == (10.0, 11.0)
    assert (effect.decided_at, effect.setpoint_w) == (99.0, 0.0)


async def test_devices_and_modes_of_an_event_stand_apart(store: Store) -> None:
    others = [
        replace(BATTERY, mode="export-limit"),
        replace(BATTERY, device="ev"),
        replace(BATTERY, event="E2"),
    ]
    await store.effects.note([BATTERY, *others])
    assert list(await store.effects.of_event("E1")) == [others[0], BATTERY, others[1]]
    assert list(await store.effects.of_event("E3")) == []
    await store.effects.note([])


async def test_old_effects_go_by_their_last_time(store: Store) -> None:
    await store.effects.note([BATTERY, replace(BATTERY, device="ev", responded_at=50.0)])
    assert await store.effects.purge(50.0) == 1
    assert [effect.device for effect in await store.effects.of_event("E1")] == ["ev"]
