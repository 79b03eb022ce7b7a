"""The accounts of the home: what each quarter-hour cost, and what it would have cost otherwise.

Image ─> flows ─> tally (minutes) ─┬─> wanting (when a load that waited would have run)
                                   └─> twins (the same house, controlled otherwise)
                                          └─> settle (rows) ─> bookkeeper ─> store
statement: rows added up by local day and month, for page and command line
"""
