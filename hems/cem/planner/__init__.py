"""The planner: what pays over the next day or two, and what it takes to do it.

`problem` and `plan` are plain records that the controller's process may load; all else loads
NumPy and HiGHS, and runs in the planner's own process.
"""
