"""The plan of all that can be controlled, as one mixed-integer programme on HiGHS.

`solve.solve` is the way in; a file a kind of device says what it adds to the programme.
"""
