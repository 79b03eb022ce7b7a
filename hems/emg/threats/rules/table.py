"""All counting rules together. Pure."""

from hems.emg.threats.rules.counting import Counting
from hems.emg.threats.rules.devices import devices
from hems.emg.threats.rules.doors import doors
from hems.emg.threats.rules.guessing import guessing
from hems.emg.threats.rules.own import own
from hems.emg.threats.rules.servers import servers
from hems.emg.threats.rules.thresholds import Thresholds


def table(of: Thresholds) -> tuple[Counting, ...]:
    """Return all rules.

    Args:
        of: From how many on.
    """
    return (*guessing(of), *doors(of), *servers(of), *devices(of), *own())
