"""What the operator's door takes and gives of hubs, as JSON."""

from typing import Annotated, Self

from pydantic import BaseModel, Field, StrictBool, StrictInt, model_validator

from certs.identity import lfdi_valid
from hems.headend.fleet.door_models import Name, Text
from hems.headend.fleet.hubs import NewHub
from hems.headend.fleet.import_rows import MOST_EVENT_W, OBJECT_ID, SERIAL
from hems.headend.fleet.records import (
    Change,
    Check,
    Commissioning,
    Deed,
    Hub,
    HubPolicy,
    Licence,
    Role,
    State,
)
from hems.headend.operator_asks import In

_Epoch = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]


class HubIn(In):
    """A hub to be entered: by its maker's identity, its operational one, or both."""

    kind: Annotated[str, Field(pattern=f"^{OBJECT_ID.pattern}$")] | None = None
    """hwType, an object identifier."""
    serial: Annotated[str, Field(pattern=f"^{SERIAL.pattern}$")] | None = None
    """hwSerialNum, hex."""
    lfdi: str | None = None
    site: Name | None = None

    @model_validator(mode="after")
    def _known_by_something(self) -> Self:
        if self.lfdi is not None and not lfdi_valid(self.lfdi.upper()):
            raise ValueError("lfdi must be 40 hex digits")
        if (self.kind is None) != (self.serial is None):
            raise ValueError("kind and serial go together")
        if self.kind is None and self.lfdi is None:
            raise ValueError("a hub is known by its lfdi, or by kind and serial")
        return self

    def record(self) -> NewHub:
        """Return it as a record."""
        return NewHub(
            self.kind or "",
            (self.serial or "").lower(),
            (self.lfdi or "").upper(),
            self.site or "",
        )


class MoveIn(In):
    """Where a hub is to go in its life."""

    to: State
    reason: Text = ""


class TestWindowIn(In):
    """For how long an enrolled hub is served for its test; 0 ends that."""

    hours: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class CheckIn(In):
    """One check of a test."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9\-]{0,31}$")]
    passed: StrictBool
    note: Text = ""


class CommissioningIn(In):
    """A commissioning test, passed or not."""

    tested_by: Text
    witnessed_by: Text
    checks: Annotated[list[CheckIn], Field(min_length=1, max_length=64)]
    at: _Epoch
    """When it was made, epoch s."""
    document: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{64}$")] | None = None
    """SHA-256 of the page that both have signed, hex."""

    def record(self) -> Commissioning:
        """Return it as a record, of which the rest is still to be filled in."""
        return Commissioning(
            id="",
            hub="",
            lfdi="",
            site="",
            tested_by=self.tested_by,
            witnessed_by=self.witnessed_by,
            checks=tuple(Check(each.name, each.passed, each.note) for each in self.checks),
            at=self.at,
            document=(self.document or "").lower(),
            entered_by="",
            entered_at=0.0,
        )


class ReplaceIn(In):
    """Which hub takes the place, and why."""

    by: Annotated[Text, Field(min_length=1)]
    """Its id, or its LFDI."""
    reason: Text


class LicenceIn(In):
    """A licence; no number takes it away."""

    number: Text | None
    valid_from: _Epoch = 0.0
    valid_until: _Epoch | None = None
    reason: Text = ""

    def record(self) -> Licence | None:
        """Return it as a record."""
        if not self.number:
            return None
        return Licence(self.number, self.valid_from, self.valid_until)


class PolicyIn(In):
    """What a hub may be asked for."""

    largest_event_w: Annotated[StrictInt, Field(ge=1, le=MOST_EVENT_W)] | None = None
    may_disconnect: StrictBool = True
    reason: Text = ""

    def record(self) -> HubPolicy:
        """Return it as a record."""
        return HubPolicy(self.largest_event_w, self.may_disconnect)


class SiteOfIn(In):
    """Where a hub is from now on; None for in stock."""

    site: Name | None
    reason: Text = ""


class LicenceOut(BaseModel):
    """A licence."""

    number: str
    valid_from: float
    valid_until: float | None


class HubOut(BaseModel):
    """A hub; `groups` are its site and all groups that it is in, the narrowest first."""

    id: str
    state: State
    since: float
    lfdi: str | None
    kind: str | None
    serial: str | None
    site: str | None
    before: State | None
    testing_until: float | None
    licence: LicenceOut | None
    largest_event_w: int | None
    may_disconnect: bool
    replaces: str | None
    replaced_by: str | None
    groups: list[str]

    @classmethod
    def of(cls, hub: Hub, groups: tuple[str, ...]) -> Self:
        """Take a record over."""
        licence = hub.licence
        return cls(
            id=hub.id,
            state=hub.state,
            since=hub.since,
            lfdi=hub.lfdi or None,
            kind=hub.kind or None,
            serial=hub.serial or None,
            site=hub.site or None,
            before=hub.before,
            testing_until=hub.testing_until or None,
            licence=None
            if licence is None
            else LicenceOut(
                number=licence.number,
                valid_from=licence.valid_from,
                valid_until=licence.valid_until,
            ),
            largest_event_w=hub.policy.largest_event_w,
            may_disconnect=hub.policy.may_disconnect,
            replaces=hub.replaces or None,
            replaced_by=hub.replaced_by or None,
            groups=list(groups),
        )


class HubsOut(BaseModel):
    """Hubs by id; `next` is to be asked for `after`, None at the end."""

    hubs: list[HubOut]
    next: str | None


class CountsOut(BaseModel):
    """How many hubs there are of each state."""

    hubs: dict[State, int]


class ReplacedOut(BaseModel):
    """Both hubs after a replacement."""

    old: HubOut
    new: HubOut


class CheckOut(BaseModel):
    """One check of a test."""

    name: str
    passed: bool
    note: str


class CommissioningOut(BaseModel):
    """A commissioning test; `whole` says whether it is what was sealed."""

    id: str
    hub: str
    lfdi: str
    site: str
    tested_by: str
    witnessed_by: str
    checks: list[CheckOut]
    passed: bool
    at: float
    document: str | None
    entered_by: str
    entered_at: float
    seal: str
    whole: bool

    @classmethod
    def of(cls, record: Commissioning, *, whole: bool) -> Self:
        """Take a record over."""
        return cls(
            id=record.id,
            hub=record.hub,
            lfdi=record.lfdi,
            site=record.site,
            tested_by=record.tested_by,
            witnessed_by=record.witnessed_by,
            checks=[CheckOut(name=c.name, passed=c.passed, note=c.note) for c in record.checks],
            passed=record.passed,
            at=record.at,
            document=record.document or None,
            entered_by=record.entered_by,
            entered_at=record.entered_at,
            seal=record.seal,
            whole=whole,
        )


class CommissioningsOut(BaseModel):
    """Tests of a hub, latest first."""

    commissionings: list[CommissioningOut]


class ChangeOut(BaseModel):
    """A line of a history."""

    id: int
    hub: str
    at: float
    who: str
    role: Role
    deed: Deed
    before: str
    after: str
    why: str
    site: str

    @classmethod
    def of(cls, change: Change) -> Self:
        """Take a record over."""
        return cls(
            id=change.id,
            hub=change.hub,
            at=change.at,
            who=change.who,
            role=change.role,
            deed=change.deed,
            before=change.before,
            after=change.after,
            why=change.why,
            site=change.site,
        )


class HistoryOut(BaseModel):
    """A joined history, latest first; `next` is to be asked for `before`, None at the end."""

    changes: list[ChangeOut]
    next: int | None
