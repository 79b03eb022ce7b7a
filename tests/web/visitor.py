"""Who looks at the scripted home's page, in which role."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from hems.access.rights import RIGHTS, Right, Role, Who
from web.access_models import MeAnswer
from web.operation import OpenDoor, Operation


@dataclass(frozen=True, slots=True)
class Visitor(OpenDoor):
    """Somebody who has logged in: the doorkeeper lets them in, and the API tells who they are.

    Attributes:
        role: In what capacity.
        language: Of their account; empty where none was chosen.
    """

    role: Role = Role.OWNER
    language: str = ""

    async def who(self, request: web.Request) -> Who:
        del request
        return Who("Ada", self.role)

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        return [Operation("GET", "/api/me", cls.me, Right.ANYBODY)]

    async def me(self) -> MeAnswer:
        """Return who asks."""
        return MeAnswer(
            name="Ada",
            role=self.role,
            rights=sorted(RIGHTS[self.role]),
            way="session",
            accounts=True,
            code_needed=False,
            set_up=True,
            language=self.language,
            until=None,
        )
