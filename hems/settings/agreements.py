"""From the configuration to what was agreed: taking part, pay, and what binds."""

from collections.abc import Callable, Mapping

from der.sentence import say
from hems.participation.consequence import Pay
from hems.participation.participation import Terms
from hems.settings.config import Config
from programs import economic, frequency, microgrid, regulation, reserve
from programs.customer_baseline import HIGH_4_OF_5, TEN_OF_10
from programs.registry import Programme

_METHODS = {"4 of 5": HIGH_4_OF_5, "10 of 10": TEN_OF_10}
_LOAD_CONTROL = "EndDeviceControl"
"""Events of this kind may be left unless they are flagged themselves."""


def terms(config: Config) -> Terms:
    """Return what was agreed about programmes."""
    said = config.programmes
    joined = dict.fromkeys(said.join, True) | dict.fromkeys(said.leave, False)
    currency = config.tariff.currency or "of the tariff's currency"
    pay = {each.programme: Pay(each.price, currency) for each in said.pay}
    obliged = frozenset({economic.ID}) if config.market.obliged else frozenset[str]()
    methods = {economic.ID: _METHODS[config.market.baseline]}
    return Terms(joined, pay, config.home.battery_reserve, obliged, missing(config), methods)


def missing(config: Config) -> Mapping[str, str]:
    """Return why programmes can do nothing in this home, by id: what they need is not set up."""
    needed = {
        reserve.ID: (config.reserve.enabled, say("No reserve is agreed for this home.")),
        frequency.ID: (
            config.regulation.consent,
            say("No battery of this home is agreed to help to hold the frequency."),
        ),
        regulation.ID: (
            config.regulation.consent,
            say("No battery of this home is agreed to help to hold the frequency."),
        ),
        economic.ID: (
            config.market.net_benefits is not None,
            say("No wholesale market is set up for this home."),
        ),
        microgrid.ID: (
            config.microgrid.plant() is not None,
            say("This home has no switch that parts it from its grid."),
        ),
    }
    return {programme: why for programme, (there, why) in needed.items() if not there}


def bound(config: Config) -> Callable[[Programme], str]:
    """Return what tells why a programme cannot be left; empty if it can.

    One of the utility can where some programme was agreed to be voluntary, or where its events
    come as load control, which flags those that bind. Else all its events bind, and leaving would
    mean nothing.
    """
    agreed = [(u.name, p) for u in config.utility for p in u.program]
    voluntary = any(not program.binding for _, program in agreed)

    def reason(programme: Programme) -> str:
        if programme.id == economic.ID:
            binds = config.market.obliged and config.market.net_benefits is not None
            why = say("By the agreement on the wholesale market the home is obliged to follow it.")
            return why if binds else ""
        carried = programme.about.carried_by
        loads = any(each.startswith(_LOAD_CONTROL) for each in carried)
        if not config.utility or voluntary or loads or not carried:
            return ""
        names = ", ".join(utility.name for utility in config.utility)
        return say(
            "By the agreement with {names} its events bind; no programme there is voluntary.",
            names=names,
        )

    return reason
