"""Where prices and carbon come from: the configuration, a file or address, the utility."""
