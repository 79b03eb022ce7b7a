"""What the home will draw, make and need, as medians, quantiles and scenarios, from its own past.

Loads NumPy: belongs to the planner's process.
"""
