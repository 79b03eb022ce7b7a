"""The demand side's parts that remember: energy by windows, the wholesale market, slopes."""
