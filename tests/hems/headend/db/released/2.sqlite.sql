CREATE TABLE document (
    lfdi VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    body BLOB NOT NULL,
    updated_at DOUBLE NOT NULL,
    PRIMARY KEY (lfdi, kind)
);
CREATE TABLE event (
    mrid VARCHAR NOT NULL,
    program VARCHAR NOT NULL,
    modes VARCHAR NOT NULL,
    start INTEGER NOT NULL,
    duration_s INTEGER NOT NULL,
    randomize_start_s INTEGER NOT NULL,
    randomize_duration_s INTEGER NOT NULL,
    accepted_at DOUBLE NOT NULL,
    cancelled_at DOUBLE,
    cancel_randomized BOOLEAN NOT NULL,
    ramp_s DOUBLE,
    PRIMARY KEY (mrid)
);
CREATE TABLE home (
    id INTEGER NOT NULL,
    lfdi VARCHAR NOT NULL,
    pin INTEGER NOT NULL,
    edition VARCHAR NOT NULL,
    registered_at DOUBLE NOT NULL,
    in_band BOOLEAN NOT NULL,
    last_contact DOUBLE,
    PRIMARY KEY (id),
    UNIQUE (lfdi)
);
CREATE TABLE item (
    number INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    PRIMARY KEY (number),
    UNIQUE (kind, id)
);
CREATE TABLE log_event (
    id INTEGER NOT NULL,
    lfdi VARCHAR NOT NULL,
    created INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_log_event_lfdi ON log_event (lfdi);
CREATE TABLE meter (
    id INTEGER NOT NULL,
    point INTEGER NOT NULL,
    mrid VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    uom INTEGER,
    flow INTEGER,
    multiplier INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (point, mrid)
);
CREATE INDEX ix_meter_point ON meter (point);
CREATE TABLE reading (
    id INTEGER NOT NULL,
    meter INTEGER NOT NULL,
    start INTEGER NOT NULL,
    local_id VARCHAR NOT NULL,
    duration_s INTEGER NOT NULL,
    value DOUBLE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (meter, start, local_id)
);
CREATE INDEX ix_reading_start ON reading (start);
CREATE TABLE response (
    id INTEGER NOT NULL,
    lfdi VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    status INTEGER NOT NULL,
    modes VARCHAR NOT NULL,
    created INTEGER NOT NULL,
    received_at DOUBLE NOT NULL,
    kind VARCHAR NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (lfdi, subject, status, modes, created)
);
CREATE INDEX ix_response_subject ON response (subject);
CREATE TABLE subscription (
    id INTEGER NOT NULL,
    lfdi VARCHAR NOT NULL,
    resource VARCHAR NOT NULL,
    uri VARCHAR NOT NULL,
    item_limit INTEGER NOT NULL,
    level VARCHAR NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (lfdi, resource)
);
CREATE TABLE usage_point (
    id INTEGER NOT NULL,
    lfdi VARCHAR NOT NULL,
    mrid VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (lfdi, mrid)
);
