"""Metrics of the hub, for Prometheus."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from der.sentence import say
from hems.access.rights import Right
from hems.on_demand import load, on_demand
from hems.vitals.catalogue import CATALOGUE
from hems.vitals.vitals import Vitals
from web.answers import error_answer
from web.operation import Operation

if TYPE_CHECKING:
    from hems.metrics import exposition
else:
    exposition = on_demand("hems.metrics.exposition")


class MetricsApi:
    """What a program that watches the hub may read.

    Args:
        vitals: Returns how the present home does.
    """

    def __init__(self, vitals: Callable[[], Vitals]) -> None:
        self._vitals = vitals

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [Operation("GET", "/metrics", cls.metrics, Right.SEE, media_type="text/plain")]

    async def metrics(self) -> web.Response:
        """Return the hub's metrics, as Prometheus reads them."""
        try:
            await load(exposition)
        except ModuleNotFoundError as error:
            sentence = say(
                "The hub has no metrics to show: {name} is missing. Install it with "
                "pip install 'hems[metrics]'.",
                name=error.name or "",
            )
            return error_answer(HTTPStatus.NOT_IMPLEMENTED, sentence)
        vitals = self._vitals()
        text = exposition.text(CATALOGUE, await vitals.values(), vitals.spreads)
        headers = {"Content-Type": exposition.CONTENT_TYPE, "Cache-Control": "no-store"}
        return web.Response(body=text, headers=headers)
