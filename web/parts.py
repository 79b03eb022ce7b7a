"""All parts of the API, as the running hub serves them: what its description is made of."""

from collections.abc import Sequence
from typing import Final

from web.access_api import AccessApi
from web.agent_api import AgentApi
from web.api import HomeApi
from web.archive_api import ArchiveApi
from web.barred_api import BarredApi
from web.bill_api import BillApi
from web.consents_api import ConsentsApi
from web.device_api import DeviceApi
from web.document_api import DocumentApi
from web.factors_api import FactorsApi
from web.found_api import FoundApi
from web.health_api import HealthApi
from web.history_api import HistoryApi
from web.island_api import IslandApi
from web.lan_api import LanApi
from web.metrics_api import MetricsApi
from web.money_api import MoneyApi
from web.needs_api import NeedsApi
from web.operation import Operation, Part
from web.people_api import PeopleApi
from web.plan_api import PlanApi
from web.programmes_api import ProgrammesApi
from web.push_api import PushApi
from web.reserves_api import ReservesApi
from web.security_api import SecurityApi
from web.security_log_api import SecurityLogApi
from web.settings_api import SettingsApi
from web.setup_api import SetupApi
from web.stream import Streams
from web.time_api import TimeApi
from web.trust_api import TrustApi
from web.updates_api import UpdatesApi
from web.visibility_api import VisibilityApi

PARTS: Final[Sequence[type[Part]]] = (
    HomeApi,
    HealthApi,
    Streams,
    DocumentApi,
    DeviceApi,
    FoundApi,
    PlanApi,
    NeedsApi,
    MoneyApi,
    MetricsApi,
    HistoryApi,
    BillApi,
    ReservesApi,
    IslandApi,
    VisibilityApi,
    ProgrammesApi,
    SecurityApi,
    SecurityLogApi,
    BarredApi,
    TrustApi,
    AgentApi,
    TimeApi,
    UpdatesApi,
    LanApi,
    PushApi,
    SetupApi,
    SettingsApi,
    ArchiveApi,
    AccessApi,
    FactorsApi,
    PeopleApi,
    ConsentsApi,
)


def all_operations() -> list[Operation]:
    """Return all that the API does."""
    return [operation for part in PARTS for operation in part.operations()]
