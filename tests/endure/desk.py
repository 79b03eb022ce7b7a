"""The planner in a process of its own, as a home has it; its answers take no virtual time."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from hems.cem.planner.plan import Plan
from hems.cem.planner.planner import Planner
from hems.cem.planner.question import Question
from hems.planning.desk import Desk

_planner: list[Planner] = []
"""That of the planner's process."""


class FarDesk(Desk):
    """Asks another process, and waits for it in real time."""

    def __init__(self) -> None:
        super().__init__(())
        self._pool: ProcessPoolExecutor | None = None

    @property
    def pid(self) -> int | None:
        """Not None once it has learnt of the past."""
        return None if self._pool is None else 0

    async def ask(self, question: Question) -> Plan:
        """Return the plan that answers a question."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        return self._pool.submit(_answer, question).result()

    async def close(self) -> None:
        """End the process."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()


def _answer(question: Question) -> Plan:
    if not _planner:
        _planner.append(Planner())
    return _planner[0].answer(question)
