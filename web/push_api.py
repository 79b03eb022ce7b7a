"""The API's handlers for messages to phones: who is told what, and when not."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from der.sentence import say
from hems.access.rights import Right, Who
from hems.push.errors import BadSubscriptionError, PushError, UnknownSubscriptionError
from hems.push.push import Push, id_of
from hems.push.sealing import check_keys
from hems.push.subscription import MINUTES_A_DAY, Quiet, Subject, Subscription
from web.models import Answer, Input
from web.operation import Operation

Minute = Annotated[int, Field(ge=0, lt=MINUTES_A_DAY, strict=True)]


class Keys(Input):
    """A browser's keys, base64url, as `PushSubscription.toJSON` gives them."""

    p256dh: Annotated[str, Field(max_length=120)]
    auth: Annotated[str, Field(max_length=40)]


class QuietHours(Input):
    """Hours without messages; minutes of the day by the home's clock."""

    model_config = ConfigDict(from_attributes=True)

    start: Minute
    end: Minute


class SubscriptionOrder(Input):
    """What a browser wishes.

    Attributes:
        endpoint: Where its push service takes messages for it.
        keys: By which they are sealed.
        called: What the person calls the browser.
        subjects: What it is to be told of.
        language: In which language.
        quiet: When it is not told.
    """

    endpoint: str
    keys: Keys
    called: Annotated[str, Field(max_length=60)] = ""
    subjects: frozenset[Subject] = frozenset(Subject)
    language: Literal["en", "fr", "de", "es"] = "en"
    quiet: QuietHours | None = None


class MoveOrder(Input):
    """What a browser's push service has changed of it.

    Attributes:
        before: Where it took messages until now.
        endpoint: Where it takes them from now on.
        keys: By which they are sealed.
    """

    before: str
    endpoint: str
    keys: Keys


class SubscriptionAnswer(Answer):
    """A browser that is told; fields as in `hems.push.subscription.Subscription`."""

    id: str
    called: str
    who: str
    subjects: Sequence[Subject]
    language: str
    quiet: QuietHours | None
    since: float


class PushAnswer(Answer):
    """Messages to phones.

    Attributes:
        enabled: Whether there are any.
        key: The hub's public key, by which browsers subscribe.
        subscriptions: The asking person's browsers; the owner's view has everybody's.
    """

    enabled: bool
    key: str = ""
    subscriptions: Sequence[SubscriptionAnswer] = ()


class PushOffError(PushError):
    """Nothing is pushed here."""


class PushApi:
    """What can be asked of the messages to phones.

    Args:
        push: Sends them; None where that is turned off.
    """

    def __init__(self, push: Push | None) -> None:
        self._push = push

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        refusals: Mapping[type[Exception], HTTPStatus] = {
            BadSubscriptionError: HTTPStatus.BAD_REQUEST,
            UnknownSubscriptionError: HTTPStatus.NOT_FOUND,
            PushOffError: HTTPStatus.CONFLICT,
        }
        one = "/api/push/subscriptions/{id}"
        return [
            Operation("GET", "/api/push", cls.push, Right.SEE),
            Operation(
                "PUT", "/api/push/subscriptions", cls.subscribe, Right.STEER, refusals=refusals
            ),
            Operation("POST", "/api/push/moved", cls.move, Right.STEER, refusals=refusals),
            Operation("DELETE", one, cls.unsubscribe, Right.STEER, refusals=refusals),
            Operation("POST", f"{one}/test", cls.try_out, Right.STEER, refusals=refusals),
        ]

    async def push(self, who: Who) -> PushAnswer:
        """Tell which of a person's browsers are told what."""
        if self._push is None:
            return PushAnswer(enabled=False)
        mine = [_answer(each) for each in self._push.all() if _may(who, each)]
        return PushAnswer(enabled=True, key=self._push.signer.public, subscriptions=mine)

    async def subscribe(self, body: SubscriptionOrder, who: Who) -> SubscriptionAnswer:
        """Take a browser's wish to be told, in place of what it wished before."""
        point, secret = check_keys(body.keys.p256dh, body.keys.auth)
        wanted = Subscription(
            id="",
            endpoint=body.endpoint,
            p256dh=point,
            auth=secret,
            who=who.name,
            called=body.called.strip(),
            subjects=body.subjects,
            language=body.language,
            quiet=None if body.quiet is None else Quiet(body.quiet.start, body.quiet.end),
            since=0.0,
        )
        return _answer(await self._there().subscribe(wanted))

    async def move(self, body: MoveOrder, who: Who) -> None:
        """Tell a browser at the address that its push service has given it."""
        keys = check_keys(body.keys.p256dh, body.keys.auth)
        before = self._own(id_of(body.before), who)
        await self._there().move(before.id, body.endpoint, keys)

    async def unsubscribe(self, id: str, who: Who) -> None:  # noqa: A002 - as in the path
        """Tell a browser nothing any more."""
        await self._there().unsubscribe(self._own(id, who).id)

    async def try_out(self, id: str, who: Who) -> None:  # noqa: A002 - as in the path
        """Send a browser a message to see that messages arrive."""
        self._there().try_out(self._own(id, who).id)

    def _own(self, subscription: str, who: Who) -> Subscription:
        found = self._there().find(subscription)
        if not _may(who, found):
            raise UnknownSubscriptionError(say("This browser is not told anything yet."))
        return found

    def _there(self) -> Push:
        if self._push is None:
            raise PushOffError(say("Messages to phones are turned off on this hub."))
        return self._push


def _may(who: Who, subscription: Subscription) -> bool:
    return subscription.who == who.name or who.may(Right.OWN)


def _answer(subscription: Subscription) -> SubscriptionAnswer:
    quiet = subscription.quiet
    return SubscriptionAnswer(
        id=subscription.id,
        called=subscription.called,
        who=subscription.who,
        subjects=sorted(subscription.subjects),
        language=subscription.language,
        quiet=None if quiet is None else QuietHours.model_validate(quiet),
        since=subscription.since,
    )
