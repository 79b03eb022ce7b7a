"""What enterprise and gateways tell each other about threats: see `hems.headend` and `hems.emg`."""
