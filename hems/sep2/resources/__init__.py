"""IEEE 2030.5 resources as frozen records: the 2018 and 2023 editions and CSIP-AUS in one set.

A field of 2023 is simply None for a 2018 server. Names are the schema's in snake case. There is a
file for each function set, whose `__all__` this one gathers.
"""

# ruff: noqa: F403

from hems.sep2.resources.aggregation import *
from hems.sep2.resources.base import *
from hems.sep2.resources.billing import *
from hems.sep2.resources.configuration import *
from hems.sep2.resources.der import *
from hems.sep2.resources.der_components import *
from hems.sep2.resources.der_device import *
from hems.sep2.resources.devices import *
from hems.sep2.resources.drlc import *
from hems.sep2.resources.file import *
from hems.sep2.resources.flow import *
from hems.sep2.resources.information import *
from hems.sep2.resources.messaging import *
from hems.sep2.resources.metering import *
from hems.sep2.resources.network import *
from hems.sep2.resources.prepayment import *
from hems.sep2.resources.pricing import *
from hems.sep2.resources.quantities import *
from hems.sep2.resources.response import *
from hems.sep2.resources.subscription import *
from hems.sep2.resources.usage_points import *
from hems.sep2.resources.wire import Record as Record
from hems.sep2.resources.wire import by_name as by_name
