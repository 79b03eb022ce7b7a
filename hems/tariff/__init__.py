"""Where prices come from: the configuration, a file or address, the utility's own tariff.

document (text -> series) ─> source (reads, keeps) ─┐
utility (2030.5 tariffs -> series) ─────────────────┼─> book.PriceBook ─> planner, accounts
configuration (hems.cem.tariff.rates.Contract) ─────┘
"""
