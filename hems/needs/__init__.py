"""What the owner wants of cars, appliances and heat: taken, ended, and kept over a restart."""
