"""Who may ask for what at the operator's door, and what is taken and given: the one table.

Whoever adds a route adds its row here; one without a row is for admins alone.
"""

from collections.abc import Iterable
from typing import Final

from hems.headend import operator_asks as asks
from hems.headend import operator_brief as brief
from hems.headend import operator_der as der
from hems.headend import operator_flows as flows
from hems.headend import operator_messages as messages
from hems.headend import operator_models as base
from hems.headend import operator_prices as prices
from hems.headend.aggregators import door_models as aggregators
from hems.headend.cim import http_door as cim
from hems.headend.enterprise import door as enterprise
from hems.headend.est import door as est
from hems.headend.est import expected_door as expected
from hems.headend.fleet import door_hub_models as hubs
from hems.headend.fleet import door_imports as imports
from hems.headend.fleet import door_models as places
from hems.headend.monitor import door as monitor
from hems.headend.monitor import wellness
from hems.headend.operators import models as own
from hems.headend.operators.rules import (
    ADMINS,
    AFTER,
    AUDITORS,
    DISPATCHERS,
    ENGINEERS,
    JSON,
    LIMIT,
    READERS,
    SINCE,
    Param,
    Rule,
    Rules,
)
from hems.headend.orders import models as orders
from hems.headend.settle.table import RULES as SETTLED
from hems.headend.upstream import door as upstream

_LIST: Final = (LIMIT, AFTER)
_SINCE: Final = (SINCE, LIMIT)
_HTML: Final = "text/html"
_GROUP: Final = Param("group", "string", "Only of this group and all below it.")

_OPERATORS: Final = (
    Rule("GET", "/", None, status=302),
    Rule("GET", "/console", None, status=302),
    Rule("GET", "/console/", None, media=_HTML),
    Rule("GET", "/console/{path}", None, media=_HTML),
    Rule("GET", "/openapi.json", READERS, media=JSON),
    Rule("POST", "/session", None, own.SessionOut, own.LoginIn),
    Rule("GET", "/session", READERS, own.SessionOut),
    Rule("DELETE", "/session", READERS, status=204),
    Rule("PUT", "/session/password", READERS, None, own.PasswordIn, 204),
    Rule("GET", "/operators", ADMINS, own.OperatorsOut),
    Rule("POST", "/operators", ADMINS, own.OperatorOut, own.OperatorIn, 201),
    Rule("PUT", "/operators/{name}", ADMINS, own.OperatorOut, own.RolesIn),
    Rule("DELETE", "/operators/{name}", ADMINS, own.OperatorOut),
    Rule("PUT", "/operators/{name}/password", ADMINS, None, own.NewPasswordIn, 204),
    Rule("GET", "/operators/{name}/tokens", READERS, own.TokensOut),
    Rule("POST", "/operators/{name}/tokens", READERS, own.NewTokenOut, own.TokenIn, 201),
    Rule("DELETE", "/operators/{name}/tokens/{id}", READERS, status=204),
    Rule(
        "GET",
        "/trail",
        AUDITORS,
        own.TrailEntriesOut,
        query=(
            LIMIT,
            Param("before", "integer", "`next` of the page before."),
            Param("who", "string", "Only this operator's."),
        ),
    ),
    Rule("GET", "/trail/export", AUDITORS, media="text/csv"),
    Rule("GET", "/trail/check", AUDITORS, own.VerdictOut),
)

_ORDERS: Final = (
    Rule(
        "POST",
        "/events",
        DISPATCHERS,
        base.EventOut,
        base.EventIn,
        201,
        others=((202, orders.ProposalOut),),
        named=True,
    ),
    Rule("POST", "/events/preview", DISPATCHERS, orders.PreviewOut, base.EventIn, harmless=True),
    Rule("GET", "/events", READERS, base.EventsOut),
    Rule("GET", "/events/{id}", READERS, base.EventOut),
    Rule(
        "POST",
        "/events/{id}/cancel",
        DISPATCHERS,
        base.EventOut,
        base.CancelIn,
        optional=True,
        named=True,
    ),
    Rule(
        "GET",
        "/proposals",
        READERS,
        orders.ProposalsOut,
        query=(Param("state", "string", "proposed, confirmed, withdrawn or lapsed"),),
    ),
    Rule("GET", "/proposals/{id}", READERS, orders.ProposalOut),
    Rule("POST", "/proposals/{id}/confirm", DISPATCHERS, base.EventOut, status=201, named=True),
    Rule(
        "POST",
        "/proposals/{id}/withdraw",
        DISPATCHERS,
        orders.ProposalOut,
        orders.WithdrawIn,
        optional=True,
        named=True,
    ),
    Rule("GET", "/programs", READERS, brief.ProgramsOut),
    Rule("GET", "/summaries", READERS, brief.SummariesOut, query=(LIMIT,)),
    Rule("GET", "/prices", READERS, prices.TariffsOut),
    Rule("PUT", "/prices", DISPATCHERS, prices.TariffOut, prices.SeriesIn, quiet=True),
    Rule("DELETE", "/prices/{tariff}/{flow}", DISPATCHERS, prices.TariffOut),
    Rule("GET", "/messages", READERS, messages.MessagesOut),
    Rule("POST", "/messages", DISPATCHERS, messages.MessageOut, messages.MessageIn, 201),
    Rule("POST", "/messages/{id}/cancel", DISPATCHERS, messages.MessageOut),
    Rule("GET", "/reservations", READERS, flows.RequestsOut),
    Rule("GET", "/reservations/{id}", READERS, flows.RequestOut),
    Rule(
        "POST",
        "/reservations/{id}/grant",
        DISPATCHERS,
        flows.RequestOut,
        flows.GrantIn,
        201,
        optional=True,
    ),
    Rule("POST", "/reservations/{id}/cancel", DISPATCHERS, flows.RequestOut),
)

_HOMES: Final = (
    Rule("GET", "/homes", READERS, base.HomesOut),
    Rule("POST", "/homes", ENGINEERS, base.HomeOut, base.HomeIn, 201),
    Rule("GET", "/homes/{lfdi}", READERS, base.HomeOut),
    Rule("GET", "/homes/{lfdi}/readings", READERS, base.ReadingsOut, query=_SINCE),
    Rule("GET", "/readings", READERS, base.ReadingsOut, query=_SINCE),
    Rule("GET", "/curves", READERS, der.CurvesOut),
    Rule("POST", "/curves", ENGINEERS, der.CurveOut, asks.NewCurveIn, 201),
    Rule("DELETE", "/curves/{id}", ENGINEERS, der.CurveOut),
    Rule("GET", "/programs/{program}/default", READERS, der.DefaultOut),
    Rule("PUT", "/programs/{program}/default", ENGINEERS, der.DefaultOut, der.DefaultIn),
    Rule("POST", "/enrolment-codes", ENGINEERS, est.CodeOut, est.CodeIn, 201),
    Rule("GET", "/enrolment-codes", READERS, est.CodesOut),
    Rule("DELETE", "/enrolment-codes/{id}", ENGINEERS, est.CodesOut),
    Rule("GET", "/enrolments", READERS, est.EnrolmentsOut),
    Rule(
        "POST",
        "/enrolments/{id}/approve",
        ENGINEERS,
        est.EnrolmentOut,
        est.DecisionIn,
        optional=True,
    ),
    Rule("POST", "/enrolments/{id}/refuse", ENGINEERS, est.EnrolmentOut),
    Rule("POST", "/homes/{lfdi}/revoke", ENGINEERS, est.EnrolmentsOut),
    Rule(
        "POST",
        "/expected-hubs",
        ENGINEERS,
        expected.ExpectedHubsOut,
        expected.ExpectedHubsIn,
        201,
        quiet=True,
    ),
    Rule("GET", "/expected-hubs", READERS, expected.ExpectedHubsOut),
    Rule("DELETE", "/expected-hubs/{id}", ENGINEERS, expected.ExpectedHubsOut),
    Rule("GET", "/aggregators", READERS, aggregators.AggregatorsOut),
    Rule(
        "POST", "/aggregators", ENGINEERS, aggregators.AggregatorOut, aggregators.AggregatorIn, 201
    ),
    Rule("GET", "/aggregators/{lfdi}", READERS, aggregators.AggregatorOut),
    Rule("PUT", "/aggregators/{lfdi}", ENGINEERS, aggregators.AggregatorOut, aggregators.RightsIn),
    Rule("DELETE", "/aggregators/{lfdi}", ENGINEERS, aggregators.AggregatorOut),
    Rule("GET", "/aggregators/{lfdi}/homes", READERS, aggregators.ManagedHomesOut, query=_LIST),
    Rule(
        "POST",
        "/aggregators/{lfdi}/homes",
        ENGINEERS,
        aggregators.AggregatorOut,
        aggregators.ManagedHomesIn,
        201,
        quiet=True,
    ),
    Rule("DELETE", "/aggregators/{lfdi}/homes/{home}", ENGINEERS, aggregators.AggregatorOut),
)

_FLEET: Final = (
    Rule("GET", "/fleet", READERS, hubs.CountsOut),
    Rule(
        "GET",
        "/fleet/hubs",
        READERS,
        hubs.HubsOut,
        query=(*_LIST, Param("state"), Param("site"), _GROUP),
    ),
    Rule("POST", "/fleet/hubs", ENGINEERS, hubs.HubOut, hubs.HubIn, 201),
    Rule("GET", "/fleet/hubs/{id}", READERS, hubs.HubOut),
    Rule("POST", "/fleet/hubs/{id}/state", ENGINEERS, hubs.HubOut, hubs.MoveIn),
    Rule("POST", "/fleet/hubs/{id}/test-window", ENGINEERS, hubs.HubOut, hubs.TestWindowIn),
    Rule("GET", "/fleet/hubs/{id}/commissioning", READERS, hubs.CommissioningsOut),
    Rule(
        "POST",
        "/fleet/hubs/{id}/commissioning",
        ENGINEERS,
        hubs.CommissioningOut,
        hubs.CommissioningIn,
        201,
    ),
    Rule("POST", "/fleet/hubs/{id}/replace", ENGINEERS, hubs.ReplacedOut, hubs.ReplaceIn),
    Rule("PUT", "/fleet/hubs/{id}/licence", ENGINEERS, hubs.HubOut, hubs.LicenceIn),
    Rule("PUT", "/fleet/hubs/{id}/policy", ENGINEERS, hubs.HubOut, hubs.PolicyIn),
    Rule("PUT", "/fleet/hubs/{id}/site", ENGINEERS, hubs.HubOut, hubs.SiteOfIn),
    Rule(
        "GET",
        "/fleet/hubs/{id}/history",
        READERS,
        hubs.HistoryOut,
        query=(LIMIT, Param("before", "integer", "`next` of the page before.")),
    ),
    Rule(
        "GET",
        "/fleet/groups",
        READERS,
        places.GroupsOut,
        query=(*_LIST, Param("parent", "string", "Those right below it; empty for the topmost.")),
    ),
    Rule("POST", "/fleet/groups", ENGINEERS, places.GroupsOut, places.GroupsIn, 201, quiet=True),
    Rule("GET", "/fleet/groups/{id}", READERS, places.GroupOut),
    Rule("PUT", "/fleet/groups/{id}", ENGINEERS, places.GroupOut, places.GroupIn),
    Rule("DELETE", "/fleet/groups/{id}", ENGINEERS, places.GroupOut),
    Rule("GET", "/fleet/groups/{id}/members", READERS, places.MembersOut),
    Rule("PUT", "/fleet/groups/{id}/members", ENGINEERS, places.MembersOut, places.MembersIn),
    Rule("GET", "/fleet/sites", READERS, places.SitesOut, query=(*_LIST, _GROUP)),
    Rule("GET", "/fleet/sites/{id}", READERS, places.SiteOut),
    Rule("PUT", "/fleet/sites/{id}", ENGINEERS, places.SiteOut, places.SiteIn),
    Rule("DELETE", "/fleet/sites/{id}", ENGINEERS, places.SiteOut),
    Rule("POST", "/fleet/imports", ENGINEERS, imports.ImportOut, imports.BeginIn, 201),
    Rule("GET", "/fleet/imports/{id}", READERS, imports.ImportOut),
    Rule("DELETE", "/fleet/imports/{id}", ENGINEERS, imports.ImportOut),
    Rule(
        "POST",
        "/fleet/imports/{id}/lines",
        ENGINEERS,
        imports.ProblemsOut,
        imports.LinesIn,
        quiet=True,
    ),
    Rule(
        "POST",
        "/fleet/imports/{id}/run",
        ENGINEERS,
        imports.ImportOut,
        imports.RunIn,
        others=((409, imports.ImportOut),),
    ),
)

_BESIDE: Final = (
    Rule("GET", "/bulletin", READERS, enterprise.BulletinOut),
    Rule("POST", "/bulletin/entries", ENGINEERS, enterprise.EntryOut, enterprise.EntryIn, 201),
    Rule("DELETE", "/bulletin/entries/{id}", ENGINEERS, enterprise.BulletinOut),
    Rule("POST", "/bulletin/publish", ENGINEERS, enterprise.PublishedOut, status=201),
    Rule(
        "GET",
        "/statistics",
        READERS,
        enterprise.StatisticsOut,
        query=(Param("days", "number"),),
    ),
    Rule("GET", "/cim/messages", READERS, cim.CimTrailOut, query=_SINCE),
    Rule("GET", "/upstream", READERS, upstream.UpstreamOut),
    Rule("GET", "/upstream/events/{id}", READERS, upstream.SharesOut),
    Rule("GET", "/metrics", READERS, media="text/plain"),
    Rule("GET", "/health/live", None, wellness.StateOut),
    Rule("GET", "/health/ready", None, wellness.StateOut),
    Rule("GET", "/signals", READERS, monitor.SignalsOut, query=_SINCE),
    Rule("GET", "/fleet/health", READERS, monitor.HealthOut),
)


def table(more: Iterable[Rule] = ()) -> Rules:
    """Return the table.

    Args:
        more: Rows beyond it, as tests need them.
    """
    return Rules((*_OPERATORS, *_ORDERS, *SETTLED, *_HOMES, *_FLEET, *_BESIDE, *more))
