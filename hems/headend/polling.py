"""How often homes are to ask and to post."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PollRate = Annotated[int, Field(ge=1, le=86400)]


@dataclass(frozen=True, slots=True)
class Rates:
    """How often homes are to ask and to post; see `HeadEndSettings`, all s."""

    dcap_poll_s: int
    time_poll_s: int
    list_poll_s: int
    post_rate_s: int


class PollSettings(BaseModel):
    """How often homes of one profile are to ask; what is left out is as for all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dcap_poll_s: PollRate | None = None
    """pollRate of DeviceCapability."""
    time_poll_s: PollRate | None = None
    """pollRate of Time."""
    list_poll_s: PollRate | None = None
    """pollRate of lists."""
    post_rate_s: PollRate | None = None
    """postRate of mirror usage points."""
