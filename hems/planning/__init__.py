"""The controller's side of its planner: asks it in time, and turns its plan into what pays."""
