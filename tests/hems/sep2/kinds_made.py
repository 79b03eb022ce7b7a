"""Events of the other kinds as a server would make them, for tests."""

from hems.sep2 import resources as res


def _status(code: int = 0, at: int = 0) -> res.EventStatus:
    return res.EventStatus(current_status=code, date_time=at, potentially_superseded=False)


def message(
    mrid: str,
    start: int,
    duration: int,
    *,
    text: str = "Peak price tonight",
    priority: int = 1,
    required: int = 7,
    status: int = 0,
    status_time: int = 0,
) -> res.TextMessage:
    """Return a text message."""
    return res.TextMessage(
        href=f"/msg/1/txt/{mrid}",
        mrid=mrid,
        creation_time=1,
        event_status=_status(status, status_time),
        interval=res.DateTimeInterval(start=start, duration=duration),
        response_required=required,
        reply_to="/rsp",
        originator="The utility",
        priority=priority,
        text_message=text,
    )


def tariff_interval(
    mrid: str, start: int, duration: int, *, tier: int = 1, creation: int = 1, required: int = 7
) -> res.TimeTariffInterval:
    """Return an interval of a rate component, with its blocks at /tp/cti/<mrid>."""
    return res.TimeTariffInterval(
        href=f"/tp/1/rc/1/tti/{mrid}",
        mrid=mrid,
        creation_time=creation,
        event_status=_status(),
        interval=res.DateTimeInterval(start=start, duration=duration),
        response_required=required,
        reply_to="/rsp",
        tou_tier=tier,
        consumption_tariff_interval_list_link=res.Link(href=f"/tp/cti/{mrid}", all=1),
    )


def grant(
    mrid: str,
    request: str,
    start: int,
    duration: int,
    *,
    watts: float = 3600.0,
    creation: int = 1,
    required: int = 7,
) -> res.FlowReservationResponse:
    """Return what a server grants on a request."""
    return res.FlowReservationResponse(
        href=f"/edev/1/frp/{mrid}",
        mrid=mrid,
        creation_time=creation,
        event_status=_status(),
        interval=res.DateTimeInterval(start=start, duration=duration),
        response_required=required,
        reply_to="/rsp",
        energy_available=res.SignedRealEnergy.of(watts * duration / 3600.0),
        power_available=res.ActivePower.of(watts),
        subject=request,
    )


def load_control(
    mrid: str,
    start: int,
    duration: int,
    *,
    override_s: int | None = None,
    mandatory: bool = False,
    category: int = 1 << 14,
    forward: bool = False,
    required: int = 7,
    creation: int = 1,
    target: res.TargetReduction | None = None,
    duty_cycle: int | None = None,
    offset: res.Offset | None = None,
    set_point: res.SetPoint | None = None,
    appliance: int | None = None,
) -> res.EndDeviceControl:
    """Return a load control that asks for what is given; by default to shed 2 kW."""
    asks = (target, duty_cycle, offset, set_point, appliance)
    if all(each is None for each in asks):
        target = res.TargetReduction(type=1, value=2)
    return res.EndDeviceControl(
        href=f"/dr/1/edc/{mrid}",
        mrid=mrid,
        creation_time=creation,
        event_status=_status(),
        interval=res.DateTimeInterval(start=start, duration=duration),
        response_required=required,
        reply_to="/rsp",
        device_category=category,
        dr_program_mandatory=mandatory,
        load_shift_forward=forward,
        override_duration=override_s,
        target_reduction=target,
        duty_cycle=None if duty_cycle is None else res.DutyCycle(normal_value=duty_cycle),
        offset=offset,
        set_point=set_point,
        appliance_load_reduction=None
        if appliance is None
        else res.ApplianceLoadReduction(type=appliance),
    )


def curve(
    href: str | None,
    *points: tuple[int, int],
    curve_type: int = 11,
    mrid: str = "C1",
    multipliers: tuple[int, int] = (0, 0),
    of: int = 3,
) -> res.DERCurve:
    """Return a curve, by default a volt-var curve in per cent."""
    x_multiplier, y_multiplier = multipliers
    return res.DERCurve(
        href=href,
        mrid=mrid,
        creation_time=1,
        curve_data=tuple(res.CurveData(xvalue=x, yvalue=y) for x, y in points),
        curve_type=curve_type,
        x_multiplier=x_multiplier,
        y_multiplier=y_multiplier,
        y_ref_type=of,
    )
