"""The trail of who did and saw what: rows of a chain (`hems.store.chain`). Pure."""

from pydantic import BaseModel, ConfigDict

from hems.store import chain
from hems.store.trail import TrailRow


class Deed(BaseModel):
    """What somebody did, tried to do, or saw.

    Attributes:
        who: By which the home knows them; empty for somebody unknown.
        role: Theirs; empty likewise.
        way: How they got in: "session", "token", "machine" or "here"; empty likewise.
        origin: The address they asked from.
        did: The operation, as "POST /api/events/{id}/opt-out".
        about: What it concerned; never a secret.
        outcome: Status of HTTP that it ended with.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    who: str
    role: str
    way: str
    origin: str
    did: str
    about: str
    outcome: int


def append(last: TrailRow | None, at: float, deed: Deed) -> TrailRow:
    """Return the row that follows the last one.

    Args:
        last: None for the first row.
        at: UTC epoch seconds.
        deed: What it says.
    """
    return chain.append(last, at, deed.model_dump_json())
