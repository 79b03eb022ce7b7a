"""Smart meters by their customer port: DSMR P1 telegrams behind a serial-to-TCP adapter."""
