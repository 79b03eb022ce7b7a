"""What energy costs at any instant: windows of the week, series, events, charges. Pure.

    Schedule (by the home's clock) ─┐
    Series (told, by UTC) ──────────┼─> rates.Contract + Quotes ─> price_at, over ─> Prices
    PriceEvent ─────────────────────┘

`billing` counts what is charged by day and month. Prices are in the contract's currency per kWh.
"""
