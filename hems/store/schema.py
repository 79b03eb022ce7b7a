"""The tables of the hub's store, as SQLAlchemy Core knows them, and their revision.

Times are UTC epoch: seconds as REAL where the house uses float seconds, whole milliseconds in the
history, whole seconds where 2030.5 has them. Power is in W, passive sign.
"""

from typing import Final

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

REVISIONS: Final = tuple(f"{number:04}" for number in range(1, 12))
"""All revisions that this version knows, oldest first; the last one is what the tables below are.

Kept here beside Alembic's own scripts, so that a file of the present revision opens without
importing Alembic (a fifth of a second and 11 MB); a test holds the two together.
"""

metadata: Final = MetaData()

events: Final = Table(
    "events",
    metadata,
    Column("server", Text, primary_key=True),
    Column("lfdi", Text, primary_key=True),
    Column("mrid", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("program", Text, nullable=False),
    Column("program_name", Text, nullable=False),
    Column("primacy", Integer, nullable=False),
    Column("mandatory", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("draw_start_s", Integer, nullable=False),
    Column("draw_duration_s", Integer, nullable=False),
    Column("draw_cancel_s", Integer, nullable=False),
    Column("phase", Text, nullable=False),
    Column("opted_out", Boolean, nullable=False),
    Column("rejoined", Boolean, nullable=False),
    Column("override_since", Float),
    Column("overridden_s", Float, nullable=False),
    Column("applied", LargeBinary, nullable=False),
    Column("acknowledged", Boolean, nullable=False),
    Column("modes", Text),
    Column("reason", Text, nullable=False),
    Column("baseline_w", Float),
    Column("changed_at", Float, nullable=False),
)

responses: Final = Table(
    "responses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("server", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("lfdi", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("modes", Text, nullable=False),
    Column("created", Integer, nullable=False),
    Column("reply_to", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    Column("location", Text),
    # Exactly once for each of these, over restarts and lost connections.
    UniqueConstraint("server", "subject", "lfdi", "status", "modes", name="responses_once"),
)
Index(
    "responses_owed", responses.c.server, responses.c.created, sqlite_where=text("location IS NULL")
)

server_offsets: Final = Table(
    "server_offsets",
    metadata,
    Column("server", Text, primary_key=True),
    Column("offset_s", Float, nullable=False),
    Column("saved_at", Float, nullable=False),
)

effects: Final = Table(
    "effects",
    metadata,
    Column("event", Text, primary_key=True),
    Column("mode", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("value", Float),
    Column("setpoint_w", Float),
    Column("observed_w", Float),
    Column("received_at", Float),
    Column("decided_at", Float),
    Column("written_at", Float),
    Column("observed_at", Float),
    Column("responded_at", Float),
    Column("reason", Text),
    sqlite_with_rowid=False,
)

settings: Final = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

devices: Final = Table(
    "devices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)
"""Numbers for device ids: a sample's key then takes one byte, not a name."""

samples: Final = Table(
    "samples",
    metadata,
    Column("device", Integer),
    Column("at_ms", Integer),
    Column("power_w", Float, nullable=False),
    Column("soc", Float),
    Column("temp_c", Float),
    Column("voltage_v", Float),
    PrimaryKeyConstraint("at_ms", "device"),
    sqlite_with_rowid=False,
)
"""Every sample. Without a row id: the key is the place, so a minute of all devices lies together.

So too in the three tables below: a page is the least that is written, and a batch touches few."""

minutes: Final = Table(
    "minutes",
    metadata,
    Column("device", Integer),
    Column("minute", Integer),
    Column("count", Integer, nullable=False),
    Column("power_sum_w", Float, nullable=False),
    Column("soc", Float),
    Column("taken_sum_w", Float),
    PrimaryKeyConstraint("minute", "device"),
    sqlite_with_rowid=False,
)
"""Sums of each minute since the epoch, kept as samples are appended.

`taken_sum_w` is the sum of the positive powers alone; NULL in minutes that are older than it.
"""

quarters: Final = Table(
    "quarters",
    metadata,
    Column("device", Integer),
    Column("quarter", Integer),
    Column("minutes", Integer, nullable=False),
    Column("taken_sum_w", Float, nullable=False),
    Column("given_sum_w", Float, nullable=False),
    Column("low_w", Float, nullable=False),
    Column("high_w", Float, nullable=False),
    Column("soc", Float),
    Column("soc_low", Float),
    Column("soc_high", Float),
    PrimaryKeyConstraint("quarter", "device"),
    sqlite_with_rowid=False,
)
"""What each quarter-hour since the epoch came to, and how many of its minutes were measured.

`taken_sum_w` and `given_sum_w` are sums over these minutes, of means of what was positive and of
what was negative, both as magnitudes; a sixtieth of them is energy in Wh.
"""

blocks: Final = Table(
    "blocks",
    metadata,
    Column("device", Integer),
    Column("block", Integer),
    Column("minutes", Integer, nullable=False),
    Column("taken_sum_w", Float, nullable=False),
    Column("given_sum_w", Float, nullable=False),
    Column("low_w", Float, nullable=False),
    Column("high_w", Float, nullable=False),
    Column("soc_low", Float),
    Column("soc_high", Float),
    PrimaryKeyConstraint("block", "device"),
    sqlite_with_rowid=False,
)
"""The same of each three hours since the epoch: a year is added up from a twelfth of the rows."""

quarters_owed: Final = Table(
    "quarters_owed",
    metadata,
    Column("device", Integer, primary_key=True),
    Column("before", Integer, nullable=False),
)
"""Devices whose quarter-hours before that one are still to be made of minutes, after an update."""

accounts: Final = Table(
    "accounts",
    metadata,
    Column("start", Integer, primary_key=True),
    Column("import_wh", Float, nullable=False),
    Column("export_wh", Float, nullable=False),
    Column("sun_wh", Float, nullable=False),
    Column("self_wh", Float, nullable=False),
    Column("used_wh", Float, nullable=False),
    Column("own_wh", Float, nullable=False),
    Column("cost", Float, nullable=False),
    Column("revenue", Float, nullable=False),
    Column("charges", Float, nullable=False),
    Column("carbon_kg", Float),
    Column("cost_no_control", Float),
    Column("cost_greedy", Float),
    Column("measured", Float, nullable=False),
    Column("registers", Boolean, nullable=False),
    Column("currency", Text, nullable=False),
)
"""What each quarter-hour of UTC cost; the key is SQLite's own row id."""

account_minutes: Final = Table(
    "account_minutes",
    metadata,
    Column("at", Integer, primary_key=True),
    Column("body", Text, nullable=False),
)
"""Minutes that are not settled: of the running quarter-hour, and since a car is plugged in."""

account_state: Final = Table(
    "account_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("body", Text, nullable=False),
)
"""One row: what was true before the first of those minutes."""

performance: Final = Table(
    "performance",
    metadata,
    Column("programme", Text, primary_key=True),
    Column("event", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("starts_at", Float, primary_key=True),
    Column("ends_at", Float, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked", Float, nullable=False),
    Column("unit", Text, nullable=False),
    Column("baseline_w", Float),
    Column("baseline_by", Text, nullable=False),
    Column("promised_wh", Float),
    Column("delivered_wh", Float),
    Column("settled_s", Float),
    Column("inside_share", Float),
    Column("deviation", Float),
    Column("rebound_w", Float),
    Column("comfort_minutes", Float, nullable=False),
    Column("measured_share", Float, nullable=False),
    Column("score", Float),
    Column("opted_out", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("lfdi", Text, primary_key=True),
    Column("intervals", Text),
)
"""What was delivered of each event; `intervals`, its quarter-hours, come a little later."""
Index("performance_ends", performance.c.ends_at)

intervals: Final = Table(
    "intervals",
    metadata,
    Column("start", Integer, primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("length_s", Integer, nullable=False),
    Column("power_w", Float),
    Column("reactive_var", Float),
    Column("voltage_v", Float),
    Column("voltage_least_v", Float),
    Column("voltage_most_v", Float),
    Column("frequency_hz", Float),
    Column("import_wh", Float),
    Column("export_wh", Float),
    Column("measured", Float, nullable=False),
    sqlite_with_rowid=False,
)
"""What the meter measured of the grid, by phase; an empty phase is all together."""

sightings: Final = Table(
    "sightings",
    metadata,
    Column("what", Text, primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("began_at", Float, primary_key=True),
    Column("ended_at", Float),
    Column("extreme", Float),
    sqlite_with_rowid=False,
)
"""What happened to the supply."""

grants: Final = Table(
    "grants",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("granted_at", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("withdrawn_at", Float),
)
"""Who may see it, what for and until when; a grant that was withdrawn stays, with its end."""

accesses: Final = Table(
    "accesses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("allowed", Boolean, nullable=False),
)
"""Who has seen it, or has tried to; of those who have seen it nothing is ever taken out."""

people: Final = Table(
    "people",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("until", Float),
    sqlite_autoincrement=True,
)
"""Who has an account; `key` is the name as it is compared. A number is never given twice."""

credentials: Final = Table(
    "credentials",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("used_at", Float),
)
"""By what each proves who they are; `secret` is what is kept of that: of passwords and codes a
hash, of a passkey its public half. Only what counts codes by the clock (TOTP) is kept itself."""
Index("credentials_person", credentials.c.person)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("made_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("origin", Text, nullable=False),
    Column("agent", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Who is logged in where."""

tokens: Final = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("made_by", Text, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("until", Float),
    Column("used_at", Float),
    Column("rights", Text),
    Column("network", Text),
    Column("person", Integer),
    sqlite_autoincrement=True,
)
"""By which other programs get in; `rights` are fewer than the role's, NULL for all of them, and
`person` is whose program it is, NULL for the home's own."""

consents: Final = Table(
    "consents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("rights", Text, nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("withdrawn_at", Float),
    sqlite_autoincrement=True,
)
"""What a person or company may see and do beyond their role; none is ever taken out, so that the
trail's numbers keep their meaning after the account has gone."""

factor_roles: Final = Table("factor_roles", metadata, Column("role", Text, primary_key=True))
"""Roles that the owner lets in with a second factor only."""

trail: Final = Table(
    "trail",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("body", Text),
    Column("digest", LargeBinary, nullable=False),
    Column("link", LargeBinary, nullable=False),
)
"""Who did and saw what, append-only. `link` chains each row to all before it; of an old row `body`
goes and `digest`, its hash, stays, so that the chain still holds."""

security_log: Final = Table(
    "security_log",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("body", Text),
    Column("digest", LargeBinary, nullable=False),
    Column("link", LargeBinary, nullable=False),
)
"""What bears on security, chained as the trail is."""

ONLY_ADDED: Final = (
    (
        "CREATE TRIGGER security_log_stays BEFORE UPDATE ON security_log"
        " WHEN NEW.body IS NOT NULL OR NEW.seq IS NOT OLD.seq OR NEW.at IS NOT OLD.at"
        " OR NEW.digest IS NOT OLD.digest OR NEW.link IS NOT OLD.link"
        " BEGIN SELECT RAISE(ABORT, 'rows of the security log are not changed'); END"
    ),
    (
        "CREATE TRIGGER security_log_whole BEFORE DELETE ON security_log"
        " BEGIN SELECT RAISE(ABORT, 'rows of the security log are not taken out'); END"
    ),
)
"""By which SQLite itself refuses all but adding, and taking out what an old row says."""
for _statement in ONLY_ADDED:
    event.listen(security_log, "after_create", DDL(_statement))  # type: ignore[no-untyped-call]
