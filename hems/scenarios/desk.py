"""The planner in this process: on virtual time nobody waits for it, however long it takes."""

from hems.cem.planner.plan import Plan
from hems.cem.planner.planner import Planner
from hems.cem.planner.question import Question
from hems.planning.desk import Desk

_HERE = 0
"""Its process id: there is no process, but who asks has to know that one remembers the past."""


class NearDesk(Desk):
    """Answers at once, by the same planner as the process."""

    def __init__(self) -> None:
        super().__init__(())
        self._planner: Planner | None = None

    @property
    def pid(self) -> int | None:
        """Not None once it has learnt of the past."""
        return None if self._planner is None else _HERE

    async def ask(self, question: Question) -> Plan:
        """Return the plan that answers a question."""
        if self._planner is None:
            self._planner = Planner()
        return self._planner.answer(question)

    async def close(self) -> None:
        """Forget the past."""
        self._planner = None
