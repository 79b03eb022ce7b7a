"""Which roles the owner lets in with a second factor only."""

import logging
from collections.abc import Collection

from hems.access.rights import Role
from hems.store.consents import ConsentStore

_log = logging.getLogger(__name__)


class Policy:
    """The owner's choice; every method that is awaited raises StoreError if the store refuses.

    Args:
        store: Where it is kept.
    """

    def __init__(self, store: ConsentStore) -> None:
        self._store = store
        self._roles: frozenset[Role] = frozenset()

    async def ready(self) -> None:
        """Read it."""
        known = {role.value for role in Role}
        kept = await self._store.factor_roles()
        for strange in sorted(kept - known):
            _log.error("the role %r, which is none, needs a second factor", strange)
        self._roles = frozenset(Role(each) for each in kept & known)

    @property
    def roles(self) -> frozenset[Role]:
        """Roles that need a second factor."""
        return self._roles

    async def put(self, roles: Collection[Role]) -> None:
        """Choose them anew."""
        await self._store.put_factor_roles(each.value for each in roles)
        self._roles = frozenset(roles)
