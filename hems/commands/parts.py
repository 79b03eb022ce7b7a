"""What the page's API offers of the running hub: each part is loaded when it is first asked."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hems.access.access import Access
from hems.clock import Clock
from hems.commands.following import Following
from hems.emg.threats.barrier import Barrier
from hems.lan.presence import Presence
from hems.on_demand import on_demand
from hems.push.push import Push
from hems.software.surface import UpdatesSurface
from hems.succession import Succession
from hems.timekeeping.surface import TimeSurface
from web.later import Later

if TYPE_CHECKING:
    from hems.commands.reliance import Reliance
    from hems.emg.threats.log import SecurityLog
    from hems.setup.device_setup import DeviceSetup
    from web import (
        access_api,
        agent_api,
        barred_api,
        consents_api,
        device_api,
        factors_api,
        found_api,
        island_api,
        lan_api,
        metrics_api,
        money_api,
        needs_api,
        people_api,
        plan_api,
        programmes_api,
        push_api,
        reserves_api,
        security_api,
        security_log_api,
        time_api,
        trust_api,
        updates_api,
        visibility_api,
    )
else:
    (
        access_api,
        agent_api,
        barred_api,
        consents_api,
        device_api,
        factors_api,
        found_api,
        island_api,
        lan_api,
        metrics_api,
        money_api,
        needs_api,
        people_api,
        plan_api,
        programmes_api,
        push_api,
        reserves_api,
        security_api,
        security_log_api,
        time_api,
        trust_api,
        updates_api,
        visibility_api,
    ) = (
        on_demand(f"web.{name}")
        for name in (
            "access_api",
            "agent_api",
            "barred_api",
            "consents_api",
            "device_api",
            "factors_api",
            "found_api",
            "island_api",
            "lan_api",
            "metrics_api",
            "money_api",
            "needs_api",
            "people_api",
            "plan_api",
            "programmes_api",
            "push_api",
            "reserves_api",
            "security_api",
            "security_log_api",
            "time_api",
            "trust_api",
            "updates_api",
            "visibility_api",
        )
    )


def home_parts(
    home: Succession, clock: Clock, time_zone: str, following: Following
) -> tuple[Later, ...]:
    """Return what is offered of the home as it stands.

    Args:
        home: The present home.
        clock: Where the time comes from.
        time_zone: IANA name of the home's.
        following: What vendors and the enterprise say of its devices.
    """
    return (
        Later("device_api", lambda: device_api.DeviceApi(home, lambda: following.verdicts)),
        Later("plan_api", lambda: plan_api.PlanApi(home, time_zone)),
        Later("needs_api", lambda: needs_api.NeedsApi(home, clock, time_zone)),
        Later("metrics_api", lambda: metrics_api.MetricsApi(lambda: home.home.vitals)),
        Later("money_api", lambda: money_api.MoneyApi(home, time_zone)),
        Later("reserves_api", lambda: reserves_api.ReservesApi(home, time_zone)),
        Later("island_api", lambda: island_api.IslandApi(home)),
        Later(
            "visibility_api",
            lambda: visibility_api.VisibilityApi(lambda: home.home.uses.visibility),
        ),
        Later(
            "programmes_api",
            lambda: programmes_api.ProgrammesApi(lambda: home.home.participation, clock, time_zone),
        ),
        Later(
            "security_api",
            lambda: security_api.SecurityApi(lambda: home.home.security, time_zone),
        ),
        Later("trust_api", lambda: trust_api.TrustApi(lambda: home.home.trusting.judging)),
    )


def hub_parts(
    devices: Callable[[], "DeviceSetup"],
    *,
    presence: Presence | None,
    push: Push | None,
    reliance: "Reliance",
    log: Callable[[], "SecurityLog"],
    barrier: Barrier,
    clock: Clock,
    time_zone: str,
    times: TimeSurface,
    updates: UpdatesSurface,
) -> tuple[Later, ...]:
    """Return what is offered of the hub itself.

    Args:
        devices: Makes what finds and adds devices; called once at most.
        presence: The hub on the home's network; None where it is not there.
        push: Its messages to phones; None where there are none.
        reliance: Whether it can be relied on.
        log: Returns what bears on security.
        barrier: Knows who is kept out.
        clock: Where the time comes from.
        time_zone: IANA name of the home's.
        times: Who keeps the hub's time.
        updates: Its own software.
    """
    return (
        Later("found_api", lambda: found_api.FoundApi(devices())),
        Later("security_log_api", lambda: security_log_api.SecurityLogApi(log, time_zone)),
        Later("barred_api", lambda: barred_api.BarredApi(barrier, clock)),
        Later("time_api", lambda: time_api.TimeApi(times)),
        Later("updates_api", lambda: updates_api.UpdatesApi(updates)),
        Later("lan_api", lambda: lan_api.LanApi(presence)),
        Later("push_api", lambda: push_api.PushApi(push)),
        Later("agent_api", lambda: agent_api.AgentApi(reliance)),
    )


def account_parts(
    rights: Access, clock: Clock, push: Push | None, set_up: Callable[[], Awaitable[bool]]
) -> tuple[Later, ...]:
    """Return what is offered of accounts.

    Args:
        rights: Who may do what.
        clock: Where the time comes from.
        push: The hub's messages to phones, which end with the account; None for none.
        set_up: Returns whether the home has been set up.
    """
    forget = None if push is None else push.forget
    return (
        Later("access_api", lambda: access_api.AccessApi(rights, set_up)),
        Later("factors_api", lambda: factors_api.FactorsApi(rights)),
        Later("people_api", lambda: people_api.PeopleApi(rights, clock, forget)),
        Later("consents_api", lambda: consents_api.ConsentsApi(rights, clock)),
    )
