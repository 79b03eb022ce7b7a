"""A running head-end. Pure."""

from collections.abc import Iterator
from typing import Final

from hems.doctor.facts import Database, Worker
from hems.doctor.finding import Finding, attention, ok, trouble

_GRAVE: Final = ("alarm", "warning")
_READY: Final = {
    "database": (
        "answers, and cannot reach its database",
        "see whether the database runs and takes connections; its log says why not",
    ),
    "behind": (
        "is far behind the other workers",
        "see its load (`hems_loop_lag_seconds`); restart this worker if it does not catch up",
    ),
}


def of_worker(worker: Worker, now: float) -> Iterator[Finding]:
    """Judge a head-end.

    Args:
        worker: What it says.
        now: UTC epoch seconds.
    """
    if worker.silent:
        yield attention(
            "head-end",
            f"does not run, or does not answer: {worker.silent}",
            do="start it: `systemctl start hems-headend`; its log says why it does not",
        )
        return
    if worker.ready == "ok":
        yield ok("head-end", f"runs; {worker.workers} workers were heard lately")
    else:
        what, remedy = _READY.get(worker.ready, (f"says of itself: {worker.ready}", ""))
        yield trouble("head-end", what, do=remedy)
    for severity in _GRAVE:
        count = (worker.signals or {}).get(severity, 0)
        if count:
            yield attention(
                "head-end", f"{count} signals of severity {severity}", do="`hems headend signals`"
            )
    until = worker.bulletin_until
    if until is not None and now >= until:
        yield attention(
            "head-end",
            f"the last bulletin has lapsed {(now - until) / 3600:.0f} h ago",
            do="see its log why none is signed; `hems headend bulletin` shows and publishes",
        )
    elif until is not None:
        yield ok("head-end", f"the bulletin counts for {(until - now) / 3600:.0f} h more")


def of_database(database: Database) -> Finding:
    """Judge the database."""
    if database.error:
        return trouble(
            "database",
            database.error,
            database.place,
            "see whether it runs, lets this user in, and has room",
        )
    if database.refused:
        return trouble(
            "database",
            database.refused,
            database.place,
            "start the version that wrote it, or have `database` name another",
        )
    if database.schema is None:
        return ok("database", "is empty; the first start makes its tables", database.place)
    if database.schema == database.newest:
        return ok("database", f"schema {database.schema}", database.place)
    return ok(
        "database",
        f"schema {database.schema}; the next start brings it to {database.newest}",
        database.place,
    )
