"""The security log under /api: what bears on security, and whether all of it is there."""

import hashlib
import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import Field

from der.sentence import say
from hems.access.rights import Right
from hems.emg.threats.entry import told
from hems.emg.threats.log import Logged, SecurityLog
from hems.emg.threats.severity import Severity
from hems.store.errors import StoreError
from hems.surface import SurfaceError
from web.access_models import CheckAnswer, CheckQuery
from web.models import Answer, Input
from web.operation import Download, Operation, Refusals
from web.words import Words

MOST_EXPORTED: Final = 100_000
_LINES: Final = "application/x-ndjson; charset=utf-8"
_REFUSALS: Final[Refusals] = {StoreError: HTTPStatus.SERVICE_UNAVAILABLE}


class LongLogError(SurfaceError):
    """The log is longer than is given at once."""


class LogQuery(Input):
    """Which rows are asked for: the newest, or those before one of them."""

    before: Annotated[int | None, Field(ge=1)] = None
    most: Annotated[int, Field(ge=1, le=500)] = 50
    least: Severity = Severity.INFO
    """How grave they are at least."""


class LogRowAnswer(Answer):
    """A row.

    Attributes:
        seq: Its number.
        at: UTC epoch seconds.
        link: Of the chain up to it, hexadecimal.
        kind: Of what kind the event was (`hems.security_event.EventKind`); empty for a row that is
            too old to say anything.
        severity: How grave.
        about: What it concerns.
        source: From where it came.
        text: In one sentence.
        times: How many events the row stands for.
        since: When the first of them was; None for the row's own time.
        threat: What was found (`hems.emg.threats.rules.finding.Threat`); empty for no finding.
        evidence: Rows that show it.
        advice: What the owner should do.
        done: What the hub did about it.
    """

    seq: int
    at: float
    link: str
    kind: str = ""
    severity: str = ""
    about: str = ""
    source: str = ""
    text: Words = ""
    times: int = 1
    since: float | None = None
    threat: str = ""
    evidence: Sequence[int] = ()
    advice: Words = ""
    done: Words = ""


class LogAnswer(Answer):
    """Rows of the log.

    Attributes:
        rows: The newest first.
        before: From where on to ask for more; None where there are none.
        time_zone: IANA name of the home's time zone.
    """

    rows: Sequence[LogRowAnswer]
    before: int | None
    time_zone: str


class SecurityLogApi:
    """What can be asked of the log.

    Args:
        log: Returns the log.
        time_zone: IANA name of the home's; empty where nobody knows.
    """

    def __init__(self, log: Callable[[], SecurityLog], time_zone: str = "") -> None:
        self._log = log
        self._time_zone = time_zone

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        audit, path = Right.AUDIT, "/api/security/log"
        return [
            Operation("GET", path, cls.rows, audit, refusals=_REFUSALS),
            Operation("GET", f"{path}/check", cls.check, audit, refusals=_REFUSALS),
            Operation(
                "GET",
                f"{path}/export",
                cls.export,
                audit,
                refusals={**_REFUSALS, LongLogError: HTTPStatus.CONFLICT},
                media_type=_LINES,
            ),
        ]

    async def rows(self, query: LogQuery) -> LogAnswer:
        """Tell what bears on security, the newest first."""
        page = await self._log().page(query.most, query.before, query.least)
        return LogAnswer(
            rows=[_row(row) for row in page.rows], before=page.before, time_zone=self._time_zone
        )

    async def check(self, query: CheckQuery) -> CheckAnswer:
        """Tell whether the log is as it was written."""
        noted = bytes.fromhex(query.link) if query.link else None
        verdict = await self._log().verify(noted)
        return CheckAnswer(
            rows=verdict.rows,
            broken_at=verdict.broken_at,
            link=verdict.link.hex(),
            known=verdict.known,
        )

    async def export(self) -> Download:
        """Give the whole log, a row a line as JSON; the last line has the checksum of the others.

        Raises:
            LongLogError: It is longer than is given at once.
        """
        lines, digest = list[bytes](), hashlib.sha256()
        link = ""
        async for row in self._log().rows():
            if len(lines) >= MOST_EXPORTED:
                raise LongLogError(say("The log is too long to be given at once."))
            answer = _row(row)
            lines.append(f"{answer.model_dump_json()}\n".encode())
            digest.update(lines[-1])
            link = answer.link
        end = {"rows": len(lines), "sha256": digest.hexdigest(), "link": link}
        content = b"".join([*lines, f"{json.dumps(end)}\n".encode()])
        return Download(content, _LINES, "security-log.jsonl")


def _row(row: Logged) -> LogRowAnswer:
    entry = row.entry
    if entry is None:
        return LogRowAnswer(seq=row.seq, at=row.at, link=row.link.hex())
    return LogRowAnswer(
        seq=row.seq,
        at=row.at,
        link=row.link.hex(),
        kind=entry.kind,
        severity=entry.severity,
        about=entry.about,
        source=entry.source,
        text=told(entry.text),
        times=entry.times,
        since=entry.since,
        threat=entry.threat,
        evidence=entry.evidence,
        advice=told(entry.advice),
        done=told(entry.done),
    )
