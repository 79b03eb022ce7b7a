"""The home's data as a whole: backup, restore, wiping."""
