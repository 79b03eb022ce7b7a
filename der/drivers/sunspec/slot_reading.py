"""What a slot of models 705, 706, 711 and 712 holds, in house words. Pure: no I/O."""

from collections.abc import Iterator

from der.curves import Curve, Droop, GridFunction, GridSupport
from der.drivers.sunspec.curves import CURVES, CurveShape
from der.drivers.sunspec.slot import SlotView


def decode(function: GridFunction, slot: SlotView) -> GridSupport:
    """Return what a slot holds, in house words.

    Raises:
        PermanentError: It holds nothing, or something that has no house word.
    """
    shape = CURVES.get(function)
    if shape is None:
        return _droop(slot)
    count, reference = slot.number("ActPt"), slot.number("DeptRef")
    if not count or count > slot.room:
        raise slot.error(f"{slot.path}.ActPt reads {count}: no curve is set")
    of = next((share for share, value in shape.references.items() if value == reference), None)
    if of is None:
        raise slot.error(f"{slot.path}.DeptRef reads {reference}, which is not known here")
    points = list(_points(shape, slot, int(count)))
    follows = slot.has("VRefAutoEna") and slot.number("VRefAutoEna") == 1
    v_ref = slot.number("VRef") if slot.has("VRef") else None
    return Curve(
        function,
        tuple(points if shape.x_sign > 0 else reversed(points)),
        of,
        response_s=slot.number("RspTms") if slot.has("RspTms") else None,
        v_ref=None if v_ref is None or v_ref == 100.0 else v_ref / 100.0,  # noqa: PLR2004 - percent
        v_ref_follows_s=slot.number("VRefAutoTms") if follows else None,
    )


def _points(shape: CurveShape, slot: SlotView, count: int) -> Iterator[tuple[float, float]]:
    for number in range(1, count + 1):
        x, y = slot.number(f"Pt[{number}].{shape.x}"), slot.number(f"Pt[{number}].{shape.y}")
        if x is None or y is None:
            raise slot.error(f"{slot.path}.Pt[{number}] has no value")
        # Adding 0 turns -0.0, which a sign makes of 0, into 0.
        yield shape.x_sign * x / 100.0 + 0.0, shape.y_sign * y / 100.0 + 0.0


def _droop(slot: SlotView) -> Droop:
    numbers = [slot.number(name) for name in ("DbOf", "DbUf", "KOf", "KUf")]
    found = [number for number in numbers if number is not None]
    if len(found) != len(numbers):
        raise slot.error(f"{slot.path} holds no complete droop")
    least = slot.number("PMin") if slot.has("PMin") else None
    response = slot.number("RspTms") if slot.has("RspTms") else None
    return Droop(
        GridFunction.FREQUENCY_DROOP,
        found[0],
        found[1],
        found[2],
        found[3],
        response_s=response,
        least_share=None if least is None else least / 100.0,
    )
