"""What leaves the hub, as its configuration says; pure.

One row for each place in the code that sends something out, so that the owner's list is whole.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from certs.identity import lfdi_valid
from der.registry import Driver
from hems.bulletin import DAY_S
from hems.emg.der_report import DER_KINDS
from hems.emg.series import MIRRORED
from hems.housekeeping import REPORT_S
from hems.planning.weather_source import EVERY_S as WEATHER_S
from hems.push.subscription import Subscription
from hems.security.reach import host_of, reach_of
from hems.security.surface import Flow, Guard, Occasion, OutflowView, Reach
from hems.settings.config import Config
from hems.settings.utility_section import OCSP_NAMED, OCSP_OFF, UtilitySection
from hems.visibility.surface import GrantView

_FARTHEST: Final = {Reach.BEYOND: 0, Reach.HOME: 1, Reach.MACHINE: 2}


def outflows(
    config: Config,
    servers: Mapping[str, str],
    grants: Sequence[GrantView],
    pushed: Sequence[Subscription] = (),
) -> tuple[OutflowView, ...]:
    """Return what leaves the hub, the farthest first.

    Args:
        config: The hub's settings.
        servers: Where the utilities' servers were found, by the utility's name.
        grants: What the owner granted.
        pushed: The browsers that want to be told while the page is closed.
    """
    found = [
        *(row for utility in config.utility for row in _utility(config, utility, servers)),
        *(row for utility in config.utility for row in _revocation(utility)),
        *_granted(config, grants),
        *_broker(config),
        *_regulation(config),
        *_questions(config),
        *_enterprise(config),
        *_announced(config),
        *_webhook(config),
        *(_push(each) for each in pushed if config.push.enabled),
    ]
    return tuple(sorted(found, key=lambda row: _FARTHEST[row.reach]))


def _utility(
    config: Config, utility: UtilitySection, servers: Mapping[str, str]
) -> Iterator[OutflowView]:
    """Yield what a utility is told; it is always over TLS, on which both sides prove themselves."""
    host = host_of(servers.get(utility.name) or utility.url or "")
    reach = reach_of(host)

    def row(
        flow: Flow, occasion: Occasion, every_s: float | None, devices: Iterable[str] = ()
    ) -> OutflowView:
        return OutflowView(
            flow,
            utility.name,
            host,
            reach,
            occasion,
            Guard.BOTH,
            devices=tuple(devices),
            every_s=every_s,
        )

    mirrored = [d.name for d in config.device if d.kind in MIRRORED]
    makers = [d.name for d in config.device if d.kind in DER_KINDS]
    meters = [d.name for d in config.device if d.kind == "meter"]
    yield row(Flow.READINGS, Occasion.INTERVAL, utility.mirror_interval, [*meters, *mirrored])
    yield row(Flow.REPORTS, Occasion.INTERVAL, REPORT_S, makers)
    yield row(Flow.ANSWERS, Occasion.EVENT, None)
    yield row(Flow.TROUBLES, Occasion.EVENT, None, (d.name for d in config.device))


def _revocation(utility: UtilitySection) -> Iterator[OutflowView]:
    """Yield what a responder learns: that this home speaks with that server."""
    if utility.ocsp == OCSP_OFF:
        return
    url = "" if utility.ocsp == OCSP_NAMED else utility.ocsp
    host = host_of(url)
    guard = Guard.ONE if url.startswith("https:") else Guard.NONE
    yield OutflowView(
        Flow.REVOCATION,
        utility.name,
        host,
        reach_of(host),
        Occasion.INTERVAL,
        guard,
        every_s=DAY_S,
    )


def _granted(config: Config, grants: Sequence[GrantView]) -> Iterator[OutflowView]:
    if config.visibility.certificate is None:
        return  # there is no door to ask at, whatever was granted
    for grant in grants:
        if grant.holds and lfdi_valid(grant.recipient):
            yield OutflowView(
                Flow.GRANT,
                grant.name,
                "",
                reach_of(config.visibility.host),
                Occasion.ASKED,
                Guard.BOTH,
                data=tuple(grant.data),
                until=grant.until,
            )


def _broker(config: Config) -> Iterator[OutflowView]:
    mqtt = config.mqtt
    guard = Guard.NONE if mqtt.trust is None else Guard.ONE
    reach = reach_of(mqtt.host)
    moved = tuple(d.name for d in config.device if d.driver is Driver.MQTT)
    if mqtt.home_assistant:
        yield OutflowView(Flow.HOME_ASSISTANT, "", mqtt.host, reach, Occasion.CHANGE, guard)
    if moved:
        yield OutflowView(Flow.BROKER, "", mqtt.host, reach, Occasion.CHANGE, guard, devices=moved)


def _regulation(config: Config) -> Iterator[OutflowView]:
    signal = config.regulation.signal
    if signal is None or not config.regulation.consent:
        return
    guard = Guard.NONE
    if signal.trust is not None:
        guard = Guard.ONE if signal.certificate is None else Guard.BOTH
    yield OutflowView(
        Flow.REGULATION, "", signal.host, reach_of(signal.host), Occasion.CHANGE, guard
    )


def _announced(config: Config) -> Iterator[OutflowView]:
    if config.web.announce and not config.web.for_this_machine:
        yield OutflowView(Flow.ANNOUNCED, "", "", Reach.HOME, Occasion.ASKED, Guard.NONE)


def _enterprise(config: Config) -> Iterator[OutflowView]:
    """Yield what the enterprise learns: that this home asks, and its days in numbers if agreed."""
    feeds, firmware = config.feeds, config.firmware
    day_s = DAY_S if feeds.statistics else None
    asked: Sequence[tuple[Flow, str | None, str | None, float | None]] = (
        (Flow.BULLETIN, feeds.url, feeds.utility, feeds.every),
        (Flow.BULLETIN, firmware.url, firmware.utility, firmware.every),
        (Flow.STATISTICS, feeds.url, feeds.utility, day_s),
    )
    for flow, url, utility, every_s in asked:
        if url is None or every_s is None:
            continue
        host = host_of(url)
        to = utility or (config.utility[0].name if config.utility else "")
        yield OutflowView(
            flow, to, host, reach_of(host), Occasion.INTERVAL, Guard.BOTH, every_s=every_s
        )


def _webhook(config: Config) -> Iterator[OutflowView]:
    url = config.threats.webhook
    if url is not None:
        host = host_of(url)
        guard = Guard.ONE if url.startswith("https://") else Guard.NONE
        yield OutflowView(Flow.WEBHOOK, "", host, reach_of(host), Occasion.EVENT, guard)


def _push(subscription: Subscription) -> OutflowView:
    host = host_of(subscription.endpoint)
    return OutflowView(
        Flow.PUSH, subscription.called, host, reach_of(host), Occasion.EVENT, Guard.ONE
    )


def _questions(config: Config) -> Iterator[OutflowView]:
    """Yield what is asked of servers: they learn that this home asks, and what the address says."""
    tariff_s = config.tariff.refresh
    asked: Sequence[tuple[Flow, str | Path | None, float]] = (
        (Flow.WEATHER, config.planner.weather if config.planner.enabled else None, WEATHER_S),
        (Flow.PRICES, config.tariff.prices, tariff_s),
        (Flow.CARBON, config.tariff.carbon_series, tariff_s),
        (Flow.MARKET, config.market.prices, config.market.refresh),
        (Flow.MARKET, config.market.net_benefits, config.market.refresh),
    )
    for flow, place, every_s in asked:
        if isinstance(place, str):  # an address of the web; a file is read on this machine
            host = host_of(place)
            guard = Guard.ONE if place.startswith("https://") else Guard.NONE
            yield OutflowView(
                flow, "", host, reach_of(host), Occasion.INTERVAL, guard, every_s=every_s
            )
