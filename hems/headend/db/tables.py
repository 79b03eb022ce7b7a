"""All tables of the utility's database, those of parts that a worker does without among them."""

from typing import Final

from sqlalchemy import MetaData

from hems.headend import models
from hems.headend.cim import models as cim
from hems.headend.fleet import tables as fleet
from hems.headend.monitor import tables as monitor
from hems.headend.operators import tables as operators
from hems.headend.orders import tables as orders
from hems.headend.own import models as own
from hems.headend.settle import tables as settle
from hems.headend.telecontrol import tables as telecontrol
from hems.headend.upstream import models as upstream

_PARTS: Final = (cim, fleet, monitor, operators, orders, own, settle, telecontrol, upstream)
"""Loaded, each has put its tables into the one list."""
TABLES: Final[MetaData] = models.Base.metadata
