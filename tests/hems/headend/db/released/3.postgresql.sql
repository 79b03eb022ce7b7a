CREATE TABLE change (
    number BIGSERIAL NOT NULL,
    kind VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    PRIMARY KEY (number)
);
CREATE TABLE document (
    lfdi VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    body BYTEA NOT NULL,
    updated_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (lfdi, kind)
);
CREATE TABLE event (
    mrid VARCHAR NOT NULL,
    program VARCHAR NOT NULL,
    modes VARCHAR NOT NULL,
    start BIGINT NOT NULL,
    duration_s INTEGER NOT NULL,
    randomize_start_s INTEGER NOT NULL,
    randomize_duration_s INTEGER NOT NULL,
    accepted_at DOUBLE PRECISION NOT NULL,
    cancelled_at DOUBLE PRECISION,
    cancel_randomized BOOLEAN NOT NULL,
    ramp_s DOUBLE PRECISION,
    PRIMARY KEY (mrid)
);
CREATE TABLE hems_schema (
    version SERIAL NOT NULL,
    PRIMARY KEY (version)
);
CREATE TABLE home (
    id SERIAL NOT NULL,
    lfdi VARCHAR NOT NULL,
    pin INTEGER NOT NULL,
    edition VARCHAR NOT NULL,
    registered_at DOUBLE PRECISION NOT NULL,
    in_band BOOLEAN NOT NULL,
    last_contact DOUBLE PRECISION,
    PRIMARY KEY (id),
    UNIQUE (lfdi)
);
CREATE TABLE item (
    number SERIAL NOT NULL,
    kind VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    PRIMARY KEY (number),
    UNIQUE (kind, id)
);
CREATE TABLE log_event (
    id BIGSERIAL NOT NULL,
    lfdi VARCHAR NOT NULL,
    created BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_log_event_lfdi ON log_event (lfdi);
CREATE TABLE meter (
    id SERIAL NOT NULL,
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
CREATE TABLE notified (
    mrid VARCHAR NOT NULL,
    lfdi VARCHAR NOT NULL,
    sent_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (mrid, lfdi)
);
CREATE INDEX ix_notified_sent_at ON notified (sent_at);
CREATE TABLE reading (
    id BIGSERIAL NOT NULL,
    meter INTEGER NOT NULL,
    start BIGINT NOT NULL,
    local_id VARCHAR NOT NULL,
    duration_s INTEGER NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (meter, start, local_id)
);
CREATE INDEX ix_reading_start ON reading (start);
CREATE TABLE response (
    id BIGSERIAL NOT NULL,
    lfdi VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    status INTEGER NOT NULL,
    modes VARCHAR NOT NULL,
    created BIGINT NOT NULL,
    received_at DOUBLE PRECISION NOT NULL,
    kind VARCHAR NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (lfdi, subject, status, modes, created)
);
CREATE INDEX ix_response_subject ON response (subject);
CREATE TABLE subscription (
    id SERIAL NOT NULL,
    lfdi VARCHAR NOT NULL,
    resource VARCHAR NOT NULL,
    uri VARCHAR NOT NULL,
    item_limit INTEGER NOT NULL,
    level VARCHAR NOT NULL,
    told VARCHAR DEFAULT '' NOT NULL,
    told_change BIGINT DEFAULT '0' NOT NULL,
    told_at DOUBLE PRECISION DEFAULT '0' NOT NULL,
    taken BOOLEAN DEFAULT true NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (lfdi, resource)
);
CREATE INDEX ix_subscription_resource ON subscription (resource);
CREATE TABLE usage_point (
    id SERIAL NOT NULL,
    lfdi VARCHAR NOT NULL,
    mrid VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (lfdi, mrid)
);
