"""All parts of the API, as the running hub serves them: what its description is made of."""

from collections.abc import Sequence
from typing import Final

from web.api import HomeApi
from web.device_api import DeviceApi
from web.document_api import DocumentApi
from web.found_api import FoundApi
from web.island_api import IslandApi
from web.money_api import MoneyApi
from web.needs_api import NeedsApi
from web.operation import Operation, Part
from web.plan_api import PlanApi
from web.programmes_api import ProgrammesApi
from web.reserves_api import ReservesApi
from web.security_api import SecurityApi
from web.stream import Streams
from web.visibility_api import VisibilityApi

PARTS: Final[Sequence[type[Part]]] = (
    HomeApi,
    Streams,
    DocumentApi,
    DeviceApi,
    FoundApi,
    PlanApi,
    NeedsApi,
    MoneyApi,
    ReservesApi,
    IslandApi,
    VisibilityApi,
    ProgrammesApi,
    SecurityApi,
)


def all_operations() -> list[Operation]:
    """Return all that the API does."""
    return [operation for part in PARTS for operation in part.operations()]
