"""What happens in the simulated home: loads, sun, storage, car, heat and the grid connection."""
