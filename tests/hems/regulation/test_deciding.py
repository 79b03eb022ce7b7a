"""When the hub regulates and what it asks of the home for that, on held time; no process runs."""

from dataclasses import dataclass, field

import pytest

from der.addresses import BrokerSettings, Shared
from der.commands import DeviceOptions
from der.curves import Curve, GridFunction, GridSupport
from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.image import Image
from hems.regulation.letters import Report, Tick
from hems.regulation.regulation import Regulation, RegulationEvents
from hems.regulation.settings import RegulationSettings, Source
from hems.regulation.shown import Able, able, said, standings
from hems.regulation.timing import Timing, quantile
from hems.store.settings import Settings
from programs.arming import Armed, By
from programs.performance import Performance
from programs.proposal import Bounds, Rank
from programs.registry import Policies
from programs.signal import Signal, SignalKind
from tests.hems.regulation.rig import STEEP, settings

BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5000.0, 5000.0)
CAN = {"battery": DeviceOptions(frozenset(), frozenset({GridFunction.FREQUENCY_DROOP}))}


@dataclass
class Around:
    """The home around it.

    Attributes:
        at: Time, s.
    """

    at: float = 1000.0
    signals: list[Signal] | None = field(default_factory=list)
    options: dict[str, DeviceOptions] = field(default_factory=dict)
    held: list[object] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    islanded: bool = False
    reactions: int = 0
    records: list[Performance] = field(default_factory=list)
    alarms: dict[str, str] = field(default_factory=dict)
    set_by_s: float = 0.0

    def now(self) -> float:
        """UTC."""
        return self.at + self.set_by_s

    def monotonic(self) -> float:
        """Monotonic."""
        return self.at

    def react(self) -> None:
        """Count."""
        self.reactions += 1

    def alarm(self, source: str, text: str | None) -> None:
        """Take an alarm."""
        self.alarms.pop(source, None)
        if text is not None:
            self.alarms[source] = text

    def regulation(
        self, agreed: RegulationSettings | None, store: Settings | None = None
    ) -> Regulation:
        """Return it, in this home."""
        return Regulation(
            agreed,
            [],
            Shared(),
            self,
            RegulationEvents(
                lambda: self.signals,
                dict,
                lambda: self.options,
                lambda _device: self.held,
                lambda: self.left,
                self.alarm,
                self.react,
                self.records.append,
                lambda: self.islanded,
            ),
            store=store,
        )

    def image(self, seq: int = 1) -> Image:
        """Return an image with the battery."""
        reading = Reading(self.at, 0.0, soc=0.5, capacity_wh=1e4)
        return Image(self.at, seq, {"battery": DeviceState(BATTERY, reading, Quality.GOOD)})


@pytest.mark.requirement("BUC-3")
def test_without_consent_nothing_is_asked() -> None:
    regulation = Around().regulation(None)
    regulation.take_image(Around().image())
    assert regulation.applied(Policies()) == Policies()
    assert regulation.standings == ()


@pytest.mark.requirement("BUC-3")
def test_the_hub_s_loop_needs_room() -> None:
    around = Around()
    regulation = around.regulation(settings())
    regulation.take_image(around.image())
    policy = regulation.applied(Policies()).regulation
    assert (policy.device, policy.capacity_w, policy.loops) == ("battery", 2000.0, True)
    assert (policy.rank, policy.inverter, policy.follows) == (Rank.ECONOMY, None, False)
    assert around.reactions == 1
    regulation.take_image(around.image(2))
    assert around.reactions == 1  # nothing new


@pytest.mark.requirement("BUC-3")
def test_an_event_arms_the_signal_and_its_end_disarms_it() -> None:
    around = Around()
    source = Source(BrokerSettings(), "regulation")
    regulation = around.regulation(settings(droop=None, source=source, program="Regulation"))
    regulation.take_image(around.image())
    assert regulation.applied(Policies()).regulation.device == ""
    event = Signal("E1", "Regulation", SignalKind.STORAGE_POWER, 0.0, 1000.0, 1100.0, binding=True)
    around.signals = [event]
    regulation.take_image(around.image(2))
    policy = regulation.applied(Policies()).regulation
    assert (policy.follows, policy.rank, policy.cause) == (True, Rank.BINDING, "E1")
    assert policy.asked_by == "Regulation"
    around.at = 1100.0
    regulation.take_image(around.image(3))
    assert regulation.applied(Policies()).regulation.device == ""


@pytest.mark.requirement("BUC-3")
def test_an_inverter_with_the_function_does_it_unless_it_does_not_take_it() -> None:
    around = Around(options=dict(CAN))
    regulation = around.regulation(settings(by=By.AUTO))
    regulation.take_image(around.image())
    policy = regulation.applied(Policies()).regulation
    assert (policy.inverter, policy.loops, policy.since) == (STEEP, False, 1000.0)
    (response, _) = regulation.standings
    assert response.active
    # It shows that it runs it, and is relied on for as long as it does.
    around.held = [STEEP]
    around.at = 1100.0
    regulation.take_image(around.image(2))
    assert regulation.applied(Policies()).regulation.inverter == STEEP
    # It no longer does.
    around.held = []
    for around.at in (1101.0, 1120.0, 1131.5, 1132.0):
        regulation.take_image(around.image())
    policy = regulation.applied(Policies()).regulation
    assert (policy.inverter, policy.loops) == (None, True)


@pytest.mark.requirement("BUC-3")
@pytest.mark.parametrize(
    "own", [STEEP, Curve(GridFunction.FREQUENCY_WATT, ((50.2, 1.0), (51.5, 0.0)))]
)
def test_what_the_utility_has_the_inverter_do_is_not_done_a_second_time(own: GridSupport) -> None:
    around = Around(held=[own])
    regulation = around.regulation(settings(by=By.HUB))
    regulation.take_image(around.image())
    assert regulation.applied(Policies()).regulation.device == ""
    around.held = [Curve(GridFunction.VOLT_WATT, ((1.0, 1.0), (1.1, 0.0)))]
    regulation.take_image(around.image(2))
    assert regulation.applied(Policies()).regulation.loops


def test_who_left_is_left_alone_and_an_unknown_grid_changes_nothing() -> None:
    around = Around()
    regulation = around.regulation(settings())
    regulation.take_image(around.image())
    around.signals = None
    around.left = {"frequency"}
    regulation.take_image(around.image(2))
    assert regulation.applied(Policies()).regulation.device == "battery"
    around.signals = []
    regulation.take_image(around.image(3))
    assert regulation.applied(Policies()).regulation.device == ""


@pytest.mark.requirement("BUC-3", "BUC-14")
def test_in_an_island_the_frequency_is_the_home_s_own_affair() -> None:
    around = Around(islanded=True)
    regulation = around.regulation(settings())
    regulation.take_image(around.image())
    assert regulation.applied(Policies()).regulation.device == ""
    around.islanded = False
    regulation.take_image(around.image(2))
    assert regulation.applied(Policies()).regulation.device == "battery"


@pytest.mark.requirement("BUC-3")
def test_what_the_battery_could_do_is_bounded_by_room_and_capacity() -> None:
    state = Around().image().devices["battery"]
    assert able(state, Bounds(-5000.0, 700.0), 2000.0) == Able(2000.0, 700.0, 5000.0, 9000.0)
    assert able(state, None, 2000.0) == Able()
    assert able(None, Bounds(), 2000.0) == Able()


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (None, "The regulation begins"),
        (Report(None, "", 0.0, -1, "x", followed=False), "The battery stays at its base: x"),
        (
            Report(None, "", -5.0, 0, "x", followed=False),
            "The battery gives 5 W more than its base",
        ),
        (Report(None, "", 7.0, -1, "", followed=True), "The battery takes 7 W more than its base"),
    ],
)
def test_words(report: Report | None, words: str) -> None:
    assert said(report) == words


def test_a_programme_that_is_not_armed_says_nothing() -> None:
    response, following = standings(Armed(STEEP), Able(), None, 0.105)
    assert not response.active
    assert response.words == "The regulation begins"
    assert "of late within 105 ms" in response.promise
    assert (following.active, following.words) == (False, "")


@pytest.mark.requirement("BUC-3")
def test_a_reaction_is_reckoned_from_the_measurement_before() -> None:
    timing = Timing()
    timing.take([Tick(0.0, 0.001, 0.003, None), Tick(0.1, 0.102, 0.104, 0.109)])
    timing.take([Tick(0.2, 0.2, 0.203, None), Tick(0.3, 0.301, 0.303, 0.31)])
    assert [*timing.reactions] == pytest.approx([0.108, 0.11])
    assert [*timing.jitters] == pytest.approx([0.001, 0.002, 0.0, 0.001])
    assert timing.promise is None
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([3.0, 1.0, 2.0], 0.999) == 3.0
