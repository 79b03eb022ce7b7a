"""A problem as a programme: the connection point, and every device at it."""

from dataclasses import dataclass

from hems.cem.planner.milp import appliances, battery, cars, grid, heats
from hems.cem.planner.milp.frame import Frame
from hems.cem.planner.milp.model import Model, Programme


@dataclass(frozen=True, slots=True)
class Columns:
    """Where everything is in the programme; devices in the order of the problem."""

    grid: grid.Grid
    batteries: tuple[tuple[battery.BatteryColumns, ...], ...]
    cars: tuple[tuple[cars.CarColumns, ...], ...]
    runs: tuple[appliances.RunColumns, ...]
    heats: tuple[heats.HeatColumns, ...]


def build(frame: Frame, runs: tuple[appliances.Runs, ...]) -> tuple[Programme, Columns]:
    """Return a problem as a programme, and where everything is in it."""
    model, problem = Model(), frame.problem
    point = grid.add(model, frame, runs)
    columns = Columns(
        point,
        tuple(battery.add(model, frame, point, one) for one in problem.batteries),
        tuple(cars.add(model, frame, point, one) for one in problem.cars),
        tuple(appliances.add(model, frame, point.shared, one) for one in runs),
        tuple(heats.add(model, frame, point.shared, one) for one in problem.heats),
    )
    cars.bind(model, frame, point, columns.cars)
    grid.bind(model, frame, point, columns.runs)
    return model.finish(), columns
