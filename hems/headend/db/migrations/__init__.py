"""The migrations of the utility's database, from each schema that it ever had to the present."""
