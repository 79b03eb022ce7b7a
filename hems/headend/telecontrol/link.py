"""The rules of one connection of IEC 60870-5-104, as the controlled station keeps them; pure.

Frames are numbered both ways. At most `k` of ours are under way without an acknowledgement, which
must come within `t1`; theirs are acknowledged after `w` of them, or after `t2`. Who hears nothing
for `t3` asks whether the other is there. Data go only after STARTDT.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from hems.headend.telecontrol.errors import LinkError
from hems.headend.telecontrol.frames import (
    MODULUS,
    Acknowledged,
    Frame,
    Numbered,
    Service,
    Unnumbered,
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many frames, and how long.

    Attributes:
        k: So many of ours may be without an acknowledgement.
        w: After so many of theirs one is sent at the latest.
        t1_s: Within this what we send must be acknowledged.
        t2_s: After this theirs are acknowledged; shorter than t1.
        t3_s: After so long without a word a test is sent.
    """

    k: int = 12
    w: int = 8
    t1_s: float = 15.0
    t2_s: float = 10.0
    t3_s: float = 20.0


class Link:
    """How one connection stands.

    Args:
        pace: How many frames, and how long.
        now: Monotonic s.

    Attributes:
        started: Whether data may go.
    """

    def __init__(self, pace: Pace, now: float) -> None:
        self._pace = pace
        self.started = False
        self._stopping = False
        self._next_send = 0
        self._next_receive = 0
        self._sent: deque[float] = deque()  # of ours that are not acknowledged: when
        self._unacknowledged = 0
        self._first_at = now
        self._heard_at = now
        self._tested_at: float | None = None

    @property
    def room(self) -> int:
        """How many data units may be sent now."""
        return self._pace.k - len(self._sent) if self.started else 0

    def send(self, asdu: bytes, now: float) -> Frame:
        """Return the frame of a data unit; look at `room` first."""
        frame = Numbered(self._next_send, self._next_receive, asdu)
        self._next_send = (self._next_send + 1) % MODULUS
        self._sent.append(now)
        self._unacknowledged = 0
        return frame

    def halt(self) -> None:
        """Send no more data: another connection of the control centre carries them now."""
        self.started = False

    def receive(self, frame: Frame, now: float) -> Sequence[Frame]:
        """Take a frame; returns what is to be sent for it. A numbered one's data are the caller's.

        Raises:
            LinkError: It may not come now; the connection is to be closed.
        """
        self._heard_at = now
        match frame:
            case Numbered(send, receive, _):
                return self._numbered(send, receive, now)
            case Acknowledged(receive):
                self._acknowledged(receive)
                return self._stopped()
            case Unnumbered(service):
                return self._unnumbered(service)

    def due(self, now: float) -> Sequence[Frame]:
        """Return what is to be sent because of the time.

        Raises:
            LinkError: Something did not come in time; the connection is to be closed.
        """
        pace = self._pace
        if self._sent and now - self._sent[0] >= pace.t1_s:
            raise LinkError(f"what was sent was not acknowledged within {pace.t1_s:g} s (t1)")
        if self._tested_at is not None:
            if now - self._tested_at >= pace.t1_s:
                raise LinkError(f"a test was not answered within {pace.t1_s:g} s (t1)")
        elif now - self._heard_at >= pace.t3_s:
            self._tested_at = now
            return [*self._acknowledgement(now), Unnumbered(Service.TEST_ACT)]
        return self._acknowledgement(now)

    def next_due(self) -> float:
        """Return when to ask `due` again, monotonic s."""
        pace = self._pace
        tested = self._tested_at
        times = [self._heard_at + pace.t3_s if tested is None else tested + pace.t1_s]
        if self._sent:
            times.append(self._sent[0] + pace.t1_s)
        if self._unacknowledged:
            times.append(self._first_at + pace.t2_s)
        return min(times)

    def _acknowledgement(self, now: float) -> Sequence[Frame]:
        if not self._unacknowledged or now - self._first_at < self._pace.t2_s:
            return ()
        return [self._acknowledge()]

    def _acknowledge(self) -> Frame:
        self._unacknowledged = 0
        return Acknowledged(self._next_receive)

    def _numbered(self, send: int, receive: int, now: float) -> Sequence[Frame]:
        if not self.started:
            raise LinkError("data came while no data are to go (before STARTDT, or after STOPDT)")
        if send != self._next_receive:
            raise LinkError(f"frame {send} came where {self._next_receive} was due")
        self._acknowledged(receive)
        self._next_receive = (send + 1) % MODULUS
        if not self._unacknowledged:
            self._first_at = now
        self._unacknowledged += 1
        return [self._acknowledge()] if self._unacknowledged >= self._pace.w else ()

    def _acknowledged(self, receive: int) -> None:
        left = (self._next_send - receive) % MODULUS
        if left > len(self._sent):
            raise LinkError(
                f"frames up to {receive} were acknowledged; {self._next_send} were sent, "
                f"and {len(self._sent)} of them wait"
            )
        while len(self._sent) > left:
            self._sent.popleft()

    def _unnumbered(self, service: Service) -> Sequence[Frame]:
        match service:
            case Service.START_ACT:
                self.started, self._stopping = True, False
                return [Unnumbered(Service.START_CON)]
            case Service.STOP_ACT:
                self.started, self._stopping = False, True
                said = [self._acknowledge()] if self._unacknowledged else []
                return [*said, *self._stopped()]
            case Service.TEST_ACT:
                return [Unnumbered(Service.TEST_CON)]
            case Service.TEST_CON if self._tested_at is not None:
                self._tested_at = None
                return ()
            case _:
                raise LinkError(f"{service.name} came, and was not asked for")

    def _stopped(self) -> Sequence[Frame]:
        """Return the confirmation of a stop, once all that was sent before is acknowledged."""
        if not self._stopping or self._sent:
            return ()
        self._stopping = False
        return [Unnumbered(Service.STOP_CON)]
