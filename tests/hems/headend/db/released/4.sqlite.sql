CREATE TABLE change (
    number INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    "key" VARCHAR NOT NULL,
    PRIMARY KEY (number)
);
CREATE TABLE cim_group (
    mrid VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    PRIMARY KEY (mrid),
    UNIQUE (name)
);
CREATE TABLE cim_mark (
    kind VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (kind)
);
CREATE TABLE cim_member (
    mrid VARCHAR NOT NULL,
    lfdi VARCHAR NOT NULL,
    PRIMARY KEY (mrid, lfdi)
);
CREATE TABLE cim_message (
    number INTEGER NOT NULL,
    at DOUBLE NOT NULL,
    direction VARCHAR NOT NULL,
    carrier VARCHAR NOT NULL,
    peer VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    message_id VARCHAR NOT NULL,
    correlation_id VARCHAR NOT NULL,
    verb VARCHAR NOT NULL,
    noun VARCHAR NOT NULL,
    pattern VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    octets INTEGER NOT NULL,
    result VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    PRIMARY KEY (number)
);
CREATE INDEX ix_cim_message_at ON cim_message (at);
CREATE INDEX ix_cim_message_id ON cim_message (message_id);
CREATE TABLE cim_order (
    peer VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    part INTEGER NOT NULL,
    message_id VARCHAR NOT NULL,
    noun VARCHAR NOT NULL,
    given_at DOUBLE NOT NULL,
    event VARCHAR NOT NULL,
    PRIMARY KEY (peer, name, part)
);
CREATE INDEX ix_cim_order_event ON cim_order (event);
CREATE TABLE cim_post (
    number INTEGER NOT NULL,
    address VARCHAR NOT NULL,
    message_id VARCHAR NOT NULL,
    body BLOB NOT NULL,
    next_at DOUBLE NOT NULL,
    tries INTEGER NOT NULL,
    expires_at DOUBLE NOT NULL,
    audit BIGINT NOT NULL,
    PRIMARY KEY (number)
);
CREATE INDEX ix_cim_post_next ON cim_post (next_at);
CREATE TABLE cim_subscription (
    id INTEGER NOT NULL,
    peer VARCHAR NOT NULL,
    noun VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (peer, noun, address)
);
CREATE TABLE cim_taken (
    peer VARCHAR NOT NULL,
    message_id VARCHAR NOT NULL,
    meaning VARCHAR NOT NULL,
    taken_at DOUBLE NOT NULL,
    carrier VARCHAR NOT NULL,
    status INTEGER NOT NULL,
    answer BLOB NOT NULL,
    body BLOB,
    next_at DOUBLE,
    PRIMARY KEY (peer, message_id)
);
CREATE INDEX ix_cim_taken_next ON cim_taken (next_at);
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
    start BIGINT NOT NULL,
    duration_s INTEGER NOT NULL,
    randomize_start_s INTEGER NOT NULL,
    randomize_duration_s INTEGER NOT NULL,
    accepted_at DOUBLE NOT NULL,
    cancelled_at DOUBLE,
    cancel_randomized BOOLEAN NOT NULL,
    ramp_s DOUBLE,
    PRIMARY KEY (mrid)
);
CREATE TABLE fleet_commissioning (
    id VARCHAR NOT NULL,
    hub VARCHAR NOT NULL,
    lfdi VARCHAR NOT NULL,
    site VARCHAR NOT NULL,
    tested_by VARCHAR NOT NULL,
    witnessed_by VARCHAR NOT NULL,
    checks VARCHAR NOT NULL,
    at DOUBLE NOT NULL,
    document VARCHAR NOT NULL,
    entered_by VARCHAR NOT NULL,
    entered_at DOUBLE NOT NULL,
    seal VARCHAR NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_fleet_commissioning_hub ON fleet_commissioning (hub);
CREATE TABLE fleet_group (
    id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    parent VARCHAR NOT NULL,
    lat DOUBLE,
    lon DOUBLE,
    PRIMARY KEY (id)
);
CREATE TABLE fleet_history (
    id INTEGER NOT NULL,
    hub VARCHAR NOT NULL,
    at DOUBLE NOT NULL,
    who VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    deed VARCHAR NOT NULL,
    "before" VARCHAR NOT NULL,
    "after" VARCHAR NOT NULL,
    why VARCHAR NOT NULL,
    site VARCHAR NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_fleet_history_hub ON fleet_history (hub, id);
CREATE INDEX ix_fleet_history_site ON fleet_history (site);
CREATE TABLE fleet_hub (
    id VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    since DOUBLE NOT NULL,
    lfdi VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    serial VARCHAR NOT NULL,
    site VARCHAR NOT NULL,
    "before" VARCHAR,
    identified_at DOUBLE NOT NULL,
    testing_until DOUBLE NOT NULL,
    licence VARCHAR,
    licence_from DOUBLE,
    licence_until DOUBLE,
    largest_event_w INTEGER,
    may_disconnect BOOLEAN NOT NULL,
    replaces VARCHAR NOT NULL,
    replaced_by VARCHAR NOT NULL,
    batch VARCHAR NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_fleet_hub_batch ON fleet_hub (batch);
CREATE INDEX ix_fleet_hub_licence_until ON fleet_hub (licence_until);
CREATE INDEX ix_fleet_hub_site ON fleet_hub (site);
CREATE INDEX ix_fleet_hub_state ON fleet_hub (state);
CREATE TABLE fleet_identity (
    lfdi VARCHAR NOT NULL,
    hub VARCHAR NOT NULL,
    barred BOOLEAN NOT NULL,
    PRIMARY KEY (lfdi)
);
CREATE INDEX ix_fleet_identity_hub ON fleet_identity (hub);
CREATE TABLE fleet_import (
    id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    who VARCHAR NOT NULL,
    begun_at DOUBLE NOT NULL,
    imported INTEGER NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE fleet_imported_hub (
    batch VARCHAR NOT NULL,
    line INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    lfdi VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    serial VARCHAR NOT NULL,
    site VARCHAR NOT NULL,
    licence VARCHAR,
    licence_until DOUBLE,
    largest_event_w INTEGER,
    pin INTEGER NOT NULL,
    edition VARCHAR NOT NULL,
    known BOOLEAN NOT NULL,
    "column" VARCHAR NOT NULL,
    problem VARCHAR NOT NULL,
    PRIMARY KEY (batch, line)
);
CREATE INDEX ix_fleet_imported_hub_id ON fleet_imported_hub (batch, id);
CREATE INDEX ix_fleet_imported_hub_lfdi ON fleet_imported_hub (batch, lfdi);
CREATE TABLE fleet_imported_site (
    batch VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    line INTEGER NOT NULL,
    "group" VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    connection_point VARCHAR NOT NULL,
    lat DOUBLE,
    lon DOUBLE,
    PRIMARY KEY (batch, id)
);
CREATE TABLE fleet_member (
    "group" VARCHAR NOT NULL,
    site VARCHAR NOT NULL,
    PRIMARY KEY ("group", site)
);
CREATE INDEX ix_fleet_member_site ON fleet_member (site);
CREATE TABLE fleet_site (
    id VARCHAR NOT NULL,
    "group" VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    connection_point VARCHAR NOT NULL,
    lat DOUBLE,
    lon DOUBLE,
    PRIMARY KEY (id)
);
CREATE INDEX ix_fleet_site_group ON fleet_site ("group");
CREATE TABLE hems_schema (
    version INTEGER NOT NULL,
    PRIMARY KEY (version)
);
CREATE TABLE home (
    id INTEGER NOT NULL,
    lfdi VARCHAR NOT NULL,
    pin INTEGER NOT NULL,
    edition VARCHAR NOT NULL,
    registered_at DOUBLE NOT NULL,
    in_band BOOLEAN NOT NULL,
    last_contact DOUBLE,
    aggregator VARCHAR DEFAULT '' NOT NULL,
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
    created BIGINT NOT NULL,
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
    phase INTEGER,
    qualifier INTEGER,
    PRIMARY KEY (id),
    UNIQUE (point, mrid)
);
CREATE INDEX ix_meter_point ON meter (point);
CREATE TABLE monitor_fact (
    number INTEGER NOT NULL,
    minute INTEGER NOT NULL,
    worker VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    count BIGINT NOT NULL,
    value DOUBLE NOT NULL,
    PRIMARY KEY (number)
);
CREATE INDEX ix_monitor_fact_minute ON monitor_fact (minute);
CREATE TABLE monitor_habit (
    lfdi VARCHAR NOT NULL,
    silent_s DOUBLE NOT NULL,
    learned DOUBLE NOT NULL,
    PRIMARY KEY (lfdi)
);
CREATE TABLE monitor_place (
    lfdi VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    PRIMARY KEY (lfdi)
);
CREATE TABLE monitor_round (
    name VARCHAR NOT NULL,
    at DOUBLE NOT NULL,
    since DOUBLE NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE monitor_signal (
    number INTEGER NOT NULL,
    rule VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    since DOUBLE NOT NULL,
    seen DOUBLE NOT NULL,
    ended DOUBLE,
    evidence BIGINT NOT NULL,
    PRIMARY KEY (number)
);
CREATE INDEX ix_monitor_signal_ended ON monitor_signal (ended);
CREATE TABLE notified (
    mrid VARCHAR NOT NULL,
    lfdi VARCHAR NOT NULL,
    sent_at DOUBLE NOT NULL,
    PRIMARY KEY (mrid, lfdi)
);
CREATE INDEX ix_notified_sent_at ON notified (sent_at);
CREATE TABLE operator_attempt (
    "key" VARCHAR NOT NULL,
    failures INTEGER NOT NULL,
    last DOUBLE NOT NULL,
    PRIMARY KEY ("key")
);
CREATE INDEX ix_operator_attempt_last ON operator_attempt (last);
CREATE TABLE operator_trail (
    seq INTEGER NOT NULL,
    at DOUBLE NOT NULL,
    person VARCHAR NOT NULL,
    "of" INTEGER NOT NULL,
    body VARCHAR NOT NULL,
    digest BLOB NOT NULL,
    link BLOB NOT NULL,
    PRIMARY KEY (seq)
);
CREATE INDEX ix_operator_trail_of ON operator_trail ("of");
CREATE INDEX ix_operator_trail_person ON operator_trail (person);
CREATE TABLE own_event (
    mrid VARCHAR NOT NULL,
    "key" VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    modes VARCHAR NOT NULL,
    start BIGINT NOT NULL,
    duration_s INTEGER NOT NULL,
    accepted_at DOUBLE NOT NULL,
    cancelled_at DOUBLE,
    ramp_s DOUBLE,
    binding BOOLEAN NOT NULL,
    PRIMARY KEY (mrid),
    UNIQUE ("key")
);
CREATE TABLE own_event_home (
    mrid VARCHAR NOT NULL,
    lfdi VARCHAR NOT NULL,
    PRIMARY KEY (mrid, lfdi)
);
CREATE INDEX ix_own_event_home_lfdi ON own_event_home (lfdi);
CREATE TABLE reading (
    id INTEGER NOT NULL,
    meter INTEGER NOT NULL,
    start BIGINT NOT NULL,
    local_id VARCHAR NOT NULL,
    duration_s BIGINT NOT NULL,
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
    created BIGINT NOT NULL,
    received_at DOUBLE NOT NULL,
    kind VARCHAR NOT NULL,
    body BLOB NOT NULL,
    agent VARCHAR,
    PRIMARY KEY (id),
    UNIQUE (lfdi, subject, status, modes, created)
);
CREATE INDEX ix_response_agent ON response (agent, id) WHERE agent IS NOT NULL;
CREATE INDEX ix_response_subject ON response (subject);
CREATE TABLE subscription (
    id INTEGER NOT NULL,
    lfdi VARCHAR NOT NULL,
    resource VARCHAR NOT NULL,
    uri VARCHAR NOT NULL,
    item_limit INTEGER NOT NULL,
    level VARCHAR NOT NULL,
    told VARCHAR DEFAULT '' NOT NULL,
    told_change BIGINT DEFAULT '0' NOT NULL,
    told_at DOUBLE DEFAULT '0' NOT NULL,
    taken BOOLEAN DEFAULT 1 NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (lfdi, resource)
);
CREATE INDEX ix_subscription_resource ON subscription (resource);
CREATE TABLE thinned (
    meter INTEGER NOT NULL,
    slot BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    start BIGINT NOT NULL,
    duration_s BIGINT NOT NULL,
    value DOUBLE NOT NULL,
    count INTEGER NOT NULL,
    total DOUBLE NOT NULL,
    weighted DOUBLE NOT NULL,
    least DOUBLE NOT NULL,
    greatest DOUBLE NOT NULL,
    last DOUBLE NOT NULL,
    last_at BIGINT NOT NULL,
    marks VARCHAR NOT NULL,
    PRIMARY KEY (meter, slot, kind)
);
CREATE INDEX ix_thinned_start ON thinned (start);
CREATE TABLE upstream_event (
    server VARCHAR NOT NULL,
    lfdi VARCHAR NOT NULL,
    mrid VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    program VARCHAR NOT NULL,
    program_name VARCHAR NOT NULL,
    primacy INTEGER NOT NULL,
    mandatory BOOLEAN NOT NULL,
    body BLOB NOT NULL,
    draw_start_s INTEGER NOT NULL,
    draw_duration_s INTEGER NOT NULL,
    draw_cancel_s INTEGER NOT NULL,
    phase VARCHAR NOT NULL,
    opted_out BOOLEAN NOT NULL,
    baseline_w DOUBLE,
    rejoined BOOLEAN NOT NULL,
    override_since DOUBLE,
    overridden_s DOUBLE NOT NULL,
    applied BLOB NOT NULL,
    acknowledged BOOLEAN NOT NULL,
    modes VARCHAR,
    reason VARCHAR NOT NULL,
    changed_at DOUBLE NOT NULL,
    PRIMARY KEY (server, lfdi, mrid)
);
CREATE TABLE upstream_offset (
    server VARCHAR NOT NULL,
    offset_s DOUBLE NOT NULL,
    PRIMARY KEY (server)
);
CREATE TABLE upstream_order (
    "key" VARCHAR NOT NULL,
    shared VARCHAR NOT NULL,
    value_w BIGINT NOT NULL,
    made_at DOUBLE NOT NULL,
    start DOUBLE NOT NULL,
    "end" DOUBLE NOT NULL,
    mrid VARCHAR,
    PRIMARY KEY ("key")
);
CREATE INDEX ix_upstream_order_end ON upstream_order ("end");
CREATE INDEX ix_upstream_order_shared ON upstream_order (shared);
CREATE TABLE upstream_response (
    id INTEGER NOT NULL,
    server VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    lfdi VARCHAR NOT NULL,
    status INTEGER NOT NULL,
    modes VARCHAR NOT NULL,
    created BIGINT NOT NULL,
    reply_to VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    location VARCHAR,
    detail BLOB NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (server, subject, lfdi, status, modes)
);
CREATE INDEX ix_upstream_response_location ON upstream_response (location);
CREATE TABLE upstream_share (
    "order" VARCHAR NOT NULL,
    home VARCHAR NOT NULL,
    borne_w DOUBLE NOT NULL,
    free_w BIGINT NOT NULL,
    baseline_w DOUBLE,
    left_at DOUBLE,
    PRIMARY KEY ("order", home)
);
CREATE TABLE upstream_shared (
    id VARCHAR NOT NULL,
    server VARCHAR NOT NULL,
    lfdi VARCHAR NOT NULL,
    mrid VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    total_w BIGINT NOT NULL,
    start DOUBLE NOT NULL,
    "end" DOUBLE NOT NULL,
    short_w DOUBLE NOT NULL,
    shared_at DOUBLE NOT NULL,
    round INTEGER NOT NULL,
    told VARCHAR NOT NULL,
    closed BOOLEAN NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_upstream_shared_closed ON upstream_shared (closed);
CREATE TABLE upstream_turn (
    name VARCHAR NOT NULL,
    holder VARCHAR NOT NULL,
    until DOUBLE NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE usage_point (
    id INTEGER NOT NULL,
    lfdi VARCHAR NOT NULL,
    mrid VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    body BLOB NOT NULL,
    agent VARCHAR,
    PRIMARY KEY (id),
    UNIQUE (lfdi, mrid)
);
CREATE INDEX ix_usage_point_agent ON usage_point (agent, id) WHERE agent IS NOT NULL;
