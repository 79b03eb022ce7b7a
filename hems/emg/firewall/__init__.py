"""The firewall for devices whose traffic passes the hub: from standings to rules, and who sets it.

| module | job |
|---|---|
| `wire.py` | what the hub may tell the helper, and what it answers: typed, nothing that is syntax |
| `ruleset.py` | pure: from that to an nftables ruleset as JSON, and counters back |
| `client.py` | the hub's end of the helper's socket |
"""
