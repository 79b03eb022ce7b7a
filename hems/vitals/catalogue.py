"""Every metric of the hub: its name, what it is, and by which labels.

No label names the home, its LFDI or the serial number of a device, and none has a power, a charge
or a price: who watches whether the hub works need not know how people live.
"""

from typing import Final

from hems.metrics.metric import FAST_S, counter, gauge, histogram

CYCLE_S: Final = histogram(
    "hub_cycle_seconds", "a control cycle: reading, deciding, handing the writes over", FAST_S
)
MISSED: Final = counter(
    "hub_cycles_missed", "cycles that were left out because the one before took too long"
)
DECIDED: Final = gauge(
    "hub_decision_age_seconds",
    "since the last valid decision, or since the home was made; what feeds the watchdog",
)
WATCHDOG: Final = gauge(
    "hub_watchdog_seconds",
    "after how long without a sign of life the service manager starts the hub anew; 0 for never",
)
DEVICES: Final = gauge("hub_devices", "devices by how far their readings can be trusted", "quality")
READING_AGE: Final = gauge(
    "hub_reading_age_seconds", "age of a device's last reading; not told before the first", "device"
)
REFUSING: Final = gauge("hub_devices_refusing", "devices that do not take what they are told")
BOUNDS: Final = gauge(
    "hub_bounds", "bounds on the power of the home or of a device, by whose word they hold", "rank"
)
GIVEN_WAY: Final = gauge("hub_proposals_refused", "proposals that are not met, or not in full")
LIMITS: Final = gauge(
    "hub_limits", "1 where the home's import or export is limited now, else 0", "direction"
)
UNMET_W: Final = gauge("hub_unmet_watts", "by how much the home's limits cannot be met")
EVENTS: Final = gauge("hub_events", "grid events that are remembered, by how they stand", "state")
LINKS: Final = gauge("hub_utilities", "utilities by how the link to them stands", "state")
CONTACT: Final = gauge(
    "hub_contact_age_seconds", "since a utility's last good answer; not told before it", "utility"
)
OFFSET: Final = gauge(
    "hub_server_offset_seconds", "a utility's time less the hub's, once it has answered", "utility"
)
OWED: Final = gauge(
    "hub_responses_waiting",
    "responses to events that no server has taken yet; not told where the store cannot be read",
)
STORED: Final = counter(
    "hub_store_transactions",
    "transactions on the store: `ledger` (durable at once) or `history`; `good` or `failed`",
    *("part", "outcome"),
)
STORE_S: Final = histogram(
    "hub_store_seconds", "how long transactions take, waiting included", FAST_S, "part"
)
STORE_BYTES: Final = gauge("hub_store_bytes", "size of the store's files", "file")
FREE_BYTES: Final = gauge("hub_disk_free_bytes", "room on the disk that holds the store")
PLAN_AGE: Final = gauge("hub_plan_age_seconds", "age of the plan in force; not told without one")
PLANNER: Final = gauge("hub_planner_running", "1 while the planner's process runs, else 0")
ALARMS: Final = gauge("hub_alarms", "alarms that are shown to people now", "kind")

CATALOGUE: Final = (
    CYCLE_S,
    MISSED,
    DECIDED,
    WATCHDOG,
    DEVICES,
    READING_AGE,
    REFUSING,
    BOUNDS,
    GIVEN_WAY,
    LIMITS,
    UNMET_W,
    EVENTS,
    LINKS,
    CONTACT,
    OFFSET,
    OWED,
    STORED,
    STORE_S,
    STORE_BYTES,
    FREE_BYTES,
    PLAN_AGE,
    PLANNER,
    ALARMS,
)
"""All of them; beside them stand those of the process (`process_*`)."""
