"""Who may ask for availability, progress and settlement: everybody who works at the utility.

Dispatchers alone settle an event for good.
"""

from typing import Final

from hems.headend.operator_models import ErrorOut
from hems.headend.operators.rules import AFTER, DISPATCHERS, LIMIT, READERS, Param, Rule
from hems.headend.settle import door_kept as kept
from hems.headend.settle import door_models as models
from hems.headend.settle.csv_file import CsvFile

_PAGE: Final = (LIMIT, AFTER)

RULES: Final = (
    Rule(
        "GET",
        "/availability",
        READERS,
        models.AvailabilityOut,
        query=(
            Param("group", "string", "Of a group or site only."),
            Param("from", "number", "Begin, epoch s; now where it is left out."),
            Param("to", "number", "End, epoch s; what can be done at once where it is left out."),
        ),
    ),
    Rule("GET", "/events/{id}/progress", READERS, models.ProgressOut, query=_PAGE),
    Rule("GET", "/events/{id}/settlement", READERS, models.SettlementOut, query=_PAGE),
    Rule("GET", "/events/{id}/settlement.csv", READERS, media=CsvFile.content_type),
    Rule(
        "GET",
        "/events/{id}/settlement.parquet",
        READERS,
        media="application/vnd.apache.parquet",
        others=((501, ErrorOut),),
    ),
    Rule(
        "POST",
        "/events/{id}/settlements",
        DISPATCHERS,
        kept.KeptOut,
        status=201,
        others=((200, kept.KeptOut),),
    ),
    Rule("GET", "/events/{id}/settlements", READERS, kept.KeptListOut),
    Rule("GET", "/events/{id}/settlements/{version}.csv", READERS, media=CsvFile.content_type),
)
