"""What a server has set for a device: its name, locale, clock rules, and what to do at a price."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hems.sep2 import resources as res
from hems.sep2.errors import NotFoundError, RejectedError
from hems.sep2.transport.http import Transport


@dataclass(frozen=True, slots=True)
class PriceResponse:
    """What the owner, by the utility's page, wants done at a price; in the tariff's own unit.

    Attributes:
        consume_below: Below this price, consumption is welcome.
        reduce_above: Above this price, consume as little as possible.
    """

    consume_below: int
    reduce_above: int


@dataclass(frozen=True, slots=True)
class Configured:
    """What a server has set for a device.

    Attributes:
        name: What the owner calls it.
        locale: Language and region, as in "en-AU".
        tz_offset_s: Standard time less UTC; None if not told.
        dst_offset_s: Daylight saving; None if not told.
        low_charge_s: Time to empty below which a battery counts as low; None if not told.
        prices: What to do at a price, by the href of the RateComponent.
    """

    name: str
    locale: str
    tz_offset_s: int | None = None
    dst_offset_s: int | None = None
    low_charge_s: int | None = None
    prices: Mapping[str, PriceResponse] = field(default_factory=dict)


async def read_configuration(
    transport: Transport, href: str
) -> tuple[Configured | None, int | None]:
    """Return what a server has set, and how often to look again in s (None: the default).

    Returns:
        None for the configuration where the server has none yet; `hems.sep2.enddevice.reporter`
        then puts the device's own.

    Raises:
        Sep2Error: It cannot be read now.
    """
    try:
        got = await transport.get(href, res.Configuration)
    except NotFoundError:
        return None, None
    time, power = got.time_configuration, got.power_configuration
    configured = Configured(
        name=got.user_device_name,
        locale=got.current_locale,
        tz_offset_s=time.tz_offset if time is not None else None,
        dst_offset_s=time.dst_offset if time is not None else None,
        low_charge_s=power.low_charge_threshold if power is not None else None,
        prices=await _prices(transport, got.price_response_cfg_list_link),
    )
    return configured, got.poll_rate


async def _prices(transport: Transport, link: res.Link | None) -> dict[str, PriceResponse]:
    if link is None:
        return {}
    try:
        listed = await transport.get_list(link.href, res.PriceResponseCfgList)
    except (NotFoundError, RejectedError):
        return {}
    return {
        item.rate_component_link.href: PriceResponse(
            item.consume_threshold, item.max_reduction_threshold
        )
        for item in listed.price_response_cfg
    }
