"""A device as heard: the last value of each point, its settings, and what it still has to do.

The broker hands each message to it, whether the device is open or not; so a device that is
opened again knows at once what it has told before.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from der.drivers.mqtt import keepsake
from der.drivers.mqtt.keepsake import Keepsake
from der.drivers.mqtt.payload import PayloadError
from der.drivers.mqtt.points import Facts, Message, Point, Settings
from der.drivers.mqtt.profile import Profile
from der.drivers.mqtt.reading import (
    ImpossiblePowerError,
    NoPowerError,
    Sample,
    power,
    reading,
)
from der.errors import TransientError
from der.model import Connection, Control, DeviceSpec, Reading
from der.oddity import Oddity, Tell, What, untold
from der.often import Often
from der.patience import Patience
from der.sentence import say
from der.steps import StepWatch

_log = logging.getLogger(__name__)

_FAULTS_KEPT: Final = 20
_MOST_MESSAGES: Final = 3000
_MOST_USELESS: Final = 100
_MINUTE_S: Final = 60.0
"""In a minute; a meter that tells much tells each second."""
_ECHOES: Final = 16
_ASLEEP_SHARE: Final = 1.5
"""A device that sleeps may be this many of its periods late before it is called silent."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What a sleeping device has been told and has not taken yet.

    Attributes:
        messages: What it was told; told again whenever it is heard.
        taken: Whether its settings say that it has.
        since: When it was told first, UTC epoch seconds.
        after: What is published when it has.
    """

    messages: Sequence[Message]
    taken: Callable[[Settings], bool]
    since: float
    after: Sequence[Message] = ()


class Twin:
    """What is known of one device; made once, by the driver's `connector`.

    Args:
        spec: The device.
        profile: The shape of its topics and payloads.
        now: UTC epoch seconds.
        inverted: Whether it counts the other way round.
    """

    def __init__(
        self,
        spec: DeviceSpec,
        profile: Profile,
        now: Callable[[], float],
        *,
        inverted: bool = False,
    ) -> None:
        self.spec = spec
        self.profile = profile
        self.settings = Settings()
        self.kept: Keepsake | None = None
        self._found: Keepsake | None = None
        self.pending: Pending | None = None
        self._now = now
        self._steps = StepWatch(now)
        self._inverted = inverted
        self._heard: dict[Point, Sample] = {}
        self._suspect: dict[str, str] = {}
        self._faults: dict[str, str] = {}
        self._troubles = Often(now)
        self._said: set[str] = set()
        self._online: dict[str, bool] = {}
        self._who = ("", "", "")
        self._listeners: set[asyncio.Queue[Facts]] = set()
        self._messages = Patience(_MOST_MESSAGES, _MINUTE_S, now)
        self._useless = Patience(_MOST_USELESS, _MINUTE_S, now)
        self._echoes: deque[bytes] = deque(maxlen=_ECHOES)
        self.tell: Tell = untold

    @property
    def topics(self) -> Collection[str]:
        """What has to be subscribed for it."""
        return (*self.profile.topics, keepsake.topic(self.spec.id))

    @property
    def connection(self) -> Connection:
        """Who it is, as far as it has told."""
        maker, model, firmware = self._who
        return Connection(f"mqtt {self.profile.values}", maker, model, "", firmware)

    def take(self, topic: str, payload: bytes, *, retained: bool) -> Sequence[Message]:
        """Take a message; whatever it holds, it never raises.

        Measurements of a retained message are left: nobody knows how old they are.

        Returns:
            What is to be published now, because the device is awake.
        """
        self.follow_clock()
        if self._messages.ends():
            self._odd(What.HOSTILE, say("it sends more than such a device ever has to say"))
        try:
            if topic == keepsake.topic(self.spec.id):
                self._keep(payload, retained=retained)
                facts = Facts()
            else:
                facts = self.profile.facts(topic, payload)
        except PayloadError as error:
            self._fault(topic, str(error))
            if self._useless.ends():
                self._odd(What.HOSTILE, say("it goes on sending what makes no sense"))
            return ()
        self._note_faults(topic, facts)
        self._remember(topic, facts, retained=retained)
        if facts.measured and not retained:
            self._note_power(topic)
        for listener in self._listeners:
            listener.put_nowait(facts)
        if retained or not (facts.measured or facts.settings):
            return ()
        return self._settle_pending()

    def sends(self, message: Message) -> None:
        """Note what the hub itself publishes on the device's topics: it comes back as an echo."""
        if message.topic == keepsake.topic(self.spec.id):
            self._echoes.append(message.payload.encode())

    def _keep(self, payload: bytes, *, retained: bool) -> None:
        """Take what is kept on the broker; what somebody else writes there meanwhile is left.

        Raises:
            PayloadError: It is none of ours.
        """
        if retained:
            self.kept = self._found = keepsake.parse(payload)  # a restart of the hub finds it so
        elif payload in self._echoes:
            self._echoes.remove(payload)
        else:
            why = say("somebody else writes on the broker what the device goes back to")
            self._odd(What.MEDDLER, why)

    def _odd(self, what: What, why: str) -> None:
        self.tell(Oddity(what, why, self.spec.id))

    @contextmanager
    def listening(self) -> Iterator["asyncio.Queue[Facts]"]:
        """Give the facts that come from now on, one after another."""
        queue: asyncio.Queue[Facts] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def check_online(self) -> None:
        """Raise TransientError where the device is known to be away."""
        for topic, online in self._online.items():
            if not online:
                raise TransientError(
                    say("{id}: {topic}: says that it is offline", id=self.spec.id, topic=topic)
                )

    @property
    def own(self) -> Settings:
        """What its owner has set: what was kept while the hub restricts it, else what it is."""
        self.follow_clock()
        kept = self.kept
        if kept is None or self._now() >= kept.ends_at:
            return self.settings
        # What it is not restricted to by us, somebody has set since: that is the owner's wish.
        if self.pending is None and self.settings and not self.profile.restricted(self.settings):
            return self.settings
        return kept.own

    def power_age_s(self) -> float | None:
        """Return how old its power is, in s; None before the first."""
        self.follow_clock()
        try:
            return max(0.0, self._now() - self._read().at)
        except NoPowerError:
            return None

    @property
    def fresh(self) -> bool:
        """Whether it has told a power that can be, not long ago, and what it is set to."""
        age_s = self.power_age_s()
        return self._set and age_s is not None and age_s <= self._longest_s()

    @property
    def _set(self) -> bool:
        """Whether it is known what it is set to, where it can be set."""
        return bool(self.settings) or self.spec.control is Control.NONE

    def reading(self) -> Reading:
        """Return the device's present reading.

        Raises:
            TransientError: It is offline, has told no power that can be, or none for too long.
        """
        self.follow_clock()
        self.check_online()
        device, point = self.spec.id, self.profile.values
        try:
            found = self._read()
        except NoPowerError as error:
            raise TransientError(f"{device}: {point}: {error}{self._last_fault()}") from error
        if not self._set:
            raise TransientError(
                say("{id}: {point}: it has not told what it is set to", id=device, point=point)
            )
        age_s = self._now() - found.at
        if age_s > self._longest_s():
            raise TransientError(
                f"{device}: {point}: no new power for {age_s:.0f} s{self._last_fault()}"
            )
        self.check_pending()
        return found

    def _read(self) -> Reading:
        kept = self.kept
        held = kept.own if kept is not None and self._now() < kept.ends_at else None
        return reading(
            self.spec,
            self._heard,
            self.settings,
            held=held,
            restricted=self.profile.restricted(self.settings),
            suspect=frozenset(self._suspect),
            inverted=self._inverted,
        )

    def _longest_s(self) -> float:
        sleep = self.spec.sleep
        return self.spec.max_age_s if sleep is None else sleep.period_s * _ASLEEP_SHARE

    def check_pending(self) -> None:
        """Raise TransientError where a device that sleeps did not take in time what it was told."""
        pending, sleep = self.pending, self.spec.sleep
        if pending is None or sleep is None:
            return
        waited_s = self._now() - pending.since
        if waited_s > sleep.period_s * _ASLEEP_SHARE:
            raise TransientError(
                f"{self.spec.id}: {self.profile.values}: told {waited_s:.0f} s ago, it has not"
                f" taken it within its wake period of {sleep.period_s:g} s"
            )

    def follow_clock(self) -> None:
        """Move what is remembered along where the clock was set; before anything is dated."""
        step_s = self._steps.step_s()
        if not step_s:
            return
        self._heard = {p: replace(s, at=s.at + step_s) for p, s in self._heard.items()}
        if self.kept is not None and self.kept is not self._found:  # which bears a known time
            self.kept = replace(self.kept, ends_at=self.kept.ends_at + step_s)
        if self.pending is not None:
            self.pending = replace(self.pending, since=self.pending.since + step_s)

    def _settle_pending(self) -> Sequence[Message]:
        pending = self.pending
        if pending is None:
            return ()
        if not pending.taken(self.settings):
            return pending.messages  # it is awake: now it can hear
        self.pending = None
        _log.info("%s: awake, and has taken what it was told", self.spec.id)
        return pending.after

    def _remember(self, topic: str, facts: Facts, *, retained: bool) -> None:
        self.settings = self.settings.then(facts.settings)
        if facts.online is False:
            self._heard.clear()  # what it tells when it is back is of another time
        if facts.online is not None:
            self._online[topic] = facts.online
        maker, model, firmware = self._who
        self._who = (facts.maker or maker, facts.model or model, facts.firmware or firmware)
        if retained:
            return
        at = self._now()
        for point, value in facts.measured.items():
            self._heard[point] = Sample(value, at)
            self._suspect.pop(point.value, None)

    def _note_faults(self, topic: str, facts: Facts) -> None:
        """Note what of a message cannot be used, until all of the topic is well."""
        for what, why in facts.faults.items():
            if len(self._suspect) < _FAULTS_KEPT:
                self._suspect[what] = why
            if what in _POINTS:
                self._heard.pop(Point(what), None)
        if facts.faults:
            self._fault(topic, "; ".join(facts.faults.values()))
            return
        self._faults.pop(topic, None)
        if topic in self._said:
            self._said.discard(topic)
            _log.info("%s: %s: makes sense again", self.spec.id, topic)

    def _note_power(self, topic: str) -> None:
        """Say that a power cannot be: whoever reads after the next good one does not see it."""
        try:
            power(self.spec, self._heard)
        except ImpossiblePowerError as error:
            words = self._troubles.say(f"{topic}: {error}")
            if words is not None:
                _log.warning("%s: %s", self.spec.id, words)
        except NoPowerError:
            pass  # what is missing may come with the next message

    def _fault(self, topic: str, why: str) -> None:
        words = self._troubles.say(f"{topic}: {why}; left out")
        if words is not None:
            self._said.add(topic)
            _log.warning("%s: %s", self.spec.id, words)
        self._faults[topic] = why

    def _last_fault(self) -> str:
        return "".join(f" (last: {topic}: {why})" for topic, why in [*self._faults.items()][:1])


_POINTS: Final = frozenset(Point)
