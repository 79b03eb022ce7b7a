"""Controls as a server would make them, for tests."""

from hems.sep2 import resources as res


def control(
    mrid: str,
    start: int,
    duration: int,
    *,
    limit_w: float | None = 1500.0,
    creation: int = 1,
    status: int = 0,
    status_time: int = 0,
    required: int = 7,
    reply_to: str | None = "/rsp",
    randomize_start: int | None = None,
    category: int | None = None,
    base: res.DERControlBase | None = None,
) -> res.DERControl:
    """Return an import limit in W as a DERControl."""
    limit = None if limit_w is None else res.ActivePower.of(limit_w)
    return res.DERControl(
        href=f"/derp/1/derc/{mrid}",
        mrid=mrid,
        description="limit",
        creation_time=creation,
        event_status=res.EventStatus(
            current_status=status, date_time=status_time, potentially_superseded=False
        ),
        interval=res.DateTimeInterval(start=start, duration=duration),
        randomize_start=randomize_start,
        response_required=required,
        reply_to=reply_to,
        device_category=category,
        der_control_base=base or res.DERControlBase(op_mod_imp_lim_w=limit),
    )


def shed(
    mrid: str, start: int, duration: int, watts: int, *, mandatory: bool = True
) -> res.EndDeviceControl:
    """Return a load reduction in W as an EndDeviceControl."""
    return res.EndDeviceControl(
        href=f"/dr/1/edc/{mrid}",
        mrid=mrid,
        creation_time=1,
        event_status=res.EventStatus(current_status=0, date_time=0, potentially_superseded=False),
        interval=res.DateTimeInterval(start=start, duration=duration),
        response_required=3,
        reply_to="/rsp",
        device_category=1 << 14,
        dr_program_mandatory=mandatory,
        load_shift_forward=False,
        target_reduction=res.TargetReduction(type=2, value=watts),
    )


def default(mrid: str, limit_w: float) -> res.DefaultDERControl:
    """Return a default import limit in W."""
    return res.DefaultDERControl(
        href="/derp/1/dderc",
        mrid=mrid,
        der_control_base=res.DERControlBase(op_mod_imp_lim_w=res.ActivePower.of(limit_w)),
    )
