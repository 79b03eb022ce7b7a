"""What was lost or doubled: the store, the utility and the page against what the hub had told."""

import json
import shutil
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from hems.commands.child import ChildError
from hems.settings.settings_file import NAME
from tests.crash.cuts import FILES, KINDS, Cuts
from tests.crash.home import SETTING, WISHED, KilledHome, Told
from tests.e2e.rig import Home as Page
from tests.stored import looked_into
from tests.waiting import until

RECEIVED, STARTED, CANCELLED, SUPERSEDED = 1, 2, 6, 7
ENDED: Final = {CANCELLED, SUPERSEDED}
"""How one ends that is listed no more; the latter where another came in its place."""
SETTLED_S: Final = 60.0
OF_THE_STORE: Final = ("store", "hems.db", "damaged", "backup", "not as")
"""Words of alarms that no power cut may bring."""


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes:
        points: How often the hub was killed.
        starts: How often of these before it was up.
        powerless: How often the power went with it.
        wishes: What the owner wished.
        settings: How often the owner set something.
        confirmed: At how many cuts there was a wish, and a setting, that had been confirmed.
        responses: What the utility got, over all homes.
        ready_s: How long each start took that was let come to its end.
        unstarted: Starts that never came to their end, and why.
        lost: What was acknowledged and does not stand.
        doubled: Responses that came twice.
        alarms: Of the store.
        faults: Faults of the software, by its log.
        cuts: How cuts of copies went.
        unshown: What never came about, so that nothing is known of it.
    """

    points: int = 0
    starts: int = 0
    powerless: int = 0
    wishes: int = 0
    settings: int = 0
    confirmed: Counter[str] = field(default_factory=Counter)
    responses: int = 0
    ready_s: list[float] = field(default_factory=list)
    unstarted: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    cuts: Cuts = field(default_factory=Cuts)
    unshown: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong

    @property
    def wrong(self) -> list[str]:
        """All that is wrong, a sentence each."""
        return [
            *(f"does not start: {each}" for each in self.unstarted),
            *(f"lost: {each}" for each in self.lost),
            *(f"doubled: {each}" for each in self.doubled),
            *(f"alarm: {each}" for each in self.alarms),
            *(f"fault: {each}" for each in self.faults),
            *(f"cut: {each}" for each in self.cuts.wrong),
            *(f"never came about: {each}" for each in self.unshown),
        ]

    def check_shown(self) -> None:
        """See that what is judged came about at all."""
        came = {
            "a response": self.responses,
            "a wish or a setting that was confirmed": self.confirmed.total(),
            "a cut in a start": self.starts,
            "a power cut": self.powerless,
            **{f"a cut of kind {kind}": self.cuts.tried.get(kind, 0) for kind in KINDS},
        }
        self.unshown += [what for what, times in came.items() if not times]

    def check_page(self, page: Page) -> None:
        """Look for alarms that a power cut may not bring."""
        self.alarms += [
            alarm for alarm in page.alarms if any(word in alarm for word in OF_THE_STORE)
        ]

    def log(self, home: KilledHome) -> None:
        """Take over the faults that the hub's log tells of."""
        home.hear()
        self.faults += home.faults

    def line(self) -> str:
        """Return how it goes."""
        slow = f"{max(self.ready_s):.1f} s" if self.ready_s else "-"
        return (
            f"{self.responses} responses, slowest start {slow}, cuts {self.cuts.tried}, "
            f"wrong: {len(self.wrong)}"
        )

    def figures(self) -> dict[str, object]:
        """Return what is to be told."""
        return {
            "well": self.well,
            "points": self.points,
            "killed_in_start": self.starts,
            "power_cut": self.powerless,
            "responses": self.responses,
            "wishes": self.wishes,
            "settings": self.settings,
            "start_p50_s": round(median(self.ready_s), 2) if self.ready_s else None,
            "start_max_s": round(max(self.ready_s), 2) if self.ready_s else None,
            "cuts": self.cuts.tried,
            "set_aside": self.cuts.set_aside,
            "wrong": self.wrong,
        }


def look(home: KilledHome, found: Found, scratch: Path) -> None:
    """Look into a copy of what a killed hub has left.

    Args:
        home: It; its hub does not run.
        found: Told what is lost or doubled.
        scratch: For the copy.
    """
    codes, told = home.utility.codes, home.told
    found.unshown += told.refused
    told.refused.clear()
    found.confirmed["wish"] += told.wish_w is not None
    found.confirmed["setting"] += told.limit_w is not None
    if told.limit_w is not None and _set(home.folder) not in {told.limit_w, *told.tried_limit_w}:
        found.lost.append(f"setting {told.limit_w} (then {told.tried_limit_w})")
    found.doubled += [
        f"{subject}: {code}" for (subject, code), n in Counter(codes).items() if n > 1
    ]
    if not codes and told.wish_w is None:
        return  # nothing was acknowledged, a store there need not be
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    for suffix in FILES:
        source = home.store.with_name(home.store.name + suffix)
        if source.exists():
            shutil.copy2(source, scratch / source.name)
    with looked_into(scratch / home.store.name) as connection:
        events = {mrid for (mrid,) in connection.execute("SELECT mrid FROM events")}
        kept = set(connection.execute("SELECT subject, status FROM responses"))
        wishes = connection.execute(
            "SELECT value FROM settings WHERE name = ?", (f"wish {WISHED}",)
        ).fetchall()
    found.lost += [f"event {subject}" for subject, _ in codes if subject not in events]
    found.lost += [f"response {each}" for each in codes if each not in kept]
    if told.wish_w is not None and not _stands(told, wishes):
        found.lost.append(f"wish {told.wish_w} (then {sorted(told.tried_w)}): {wishes}")


def _set(folder: Path) -> float | None:
    """Return what a home's settings file says of the setting; None for nothing that can be read."""
    section, key = SETTING.split(".")
    try:
        value = tomllib.loads((folder / NAME).read_text(encoding="utf-8"))[section][key]
        return float(value if isinstance(value, int | float) else str(value).removesuffix(" W"))
    except (OSError, KeyError, ValueError):
        return None


def _stands(told: Told, rows: list[tuple[str]]) -> bool:
    return any(json.loads(value)["power_w"] in {told.wish_w, *told.tried_w} for (value,) in rows)


async def settle(home: KilledHome, found: Found) -> None:
    """Start the hub once more, wait until it owes nothing, and compare all of it; stop it."""
    await home.start()
    try:
        await home.ready()
    except ChildError as error:
        found.unstarted.append(str(error))
        await home.die(power=False)
        return

    async def codes() -> Counter[tuple[str, int | None]]:
        return Counter(home.utility.codes)

    try:
        await until(codes, lambda now: all_said(home.told, now), SETTLED_S, "all is said")
    except AssertionError as error:
        found.lost.append(f"{error}: {sorted(home.utility.codes)[-12:]}, {home.told}")
    page = await home.snapshot()
    found.check_page(page)
    if home.told.wish_w is not None and page.tile(WISHED).wish_w not in {
        home.told.wish_w,
        *home.told.tried_w,
    }:
        found.lost.append(f"the page does not show wish {home.told.wish_w}")
    said = Counter(home.utility.codes)
    found.doubled += [f"{subject}: {code}" for (subject, code), n in said.items() if n > 1]
    found.responses += len(said)
    if await home.hub.stop() != 0:
        found.faults.append(f"it does not stop in order: {home.hub.log_end()}")


def all_said(told: Told, codes: Counter[tuple[str, int | None]]) -> bool:
    """Return whether the utility has heard all that it is owed."""
    for event in told.events:
        known = {code for subject, code in codes if subject == event}
        if event == told.listed and known != {RECEIVED, STARTED}:
            return False
        # One that came and went while the hub was dead was never known to it.
        if event in told.over and known and len(known & ENDED) != 1:
            return False
    return True
