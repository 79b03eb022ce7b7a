"""What bears on security: written down, judged, answered, told.

| module | job |
|---|---|
| `severity.py`, `entry.py`, `folding.py` | pure: what a row of the log says, which are folded |
| `log.py`, `head.py` | the log on the disk, chained; its end sealed beside it |
| `rules/` | pure: what several events come to |
| `barrier.py` | who may ask nothing for a while |
| `watchman.py` | takes note of events, and has all of this done beside the control cycle |
"""
