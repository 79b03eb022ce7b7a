"""From the configuration to what was agreed: taking part, pay, and what binds."""

from collections.abc import Callable

from hems.participation.consequence import Pay
from hems.participation.participation import Terms
from hems.settings.config import Config
from programs.registry import Programme

_LOAD_CONTROL = "EndDeviceControl"
"""Events of this kind may be left unless they are flagged themselves."""


def terms(config: Config) -> Terms:
    """Return what was agreed about programmes."""
    said = config.programmes
    joined = dict.fromkeys(said.join, True) | dict.fromkeys(said.leave, False)
    currency = config.tariff.currency or "of the tariff's currency"
    pay = {each.programme: Pay(each.price, currency) for each in said.pay}
    return Terms(joined, pay, config.home.battery_reserve)


def bound(config: Config) -> Callable[[Programme], str]:
    """Return what tells why a programme of the utility cannot be left; empty if it can.

    It can where some programme was agreed to be voluntary, or where its events come as load
    control, which flags those that bind. Else all its events bind, and leaving would mean nothing.
    """
    agreed = [(u.name, p) for u in config.utility for p in u.program]
    voluntary = any(not program.binding for _, program in agreed)

    def reason(programme: Programme) -> str:
        carried = programme.about.carried_by
        loads = any(each.startswith(_LOAD_CONTROL) for each in carried)
        if not config.utility or voluntary or loads or not carried:
            return ""
        names = ", ".join(utility.name for utility in config.utility)
        return f"By the agreement with {names} its events bind; no programme there is voluntary."

    return reason
