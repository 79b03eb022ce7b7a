"""The home through days of weather, prices, events and faults, on accelerated time."""
