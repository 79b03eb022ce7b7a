"""What is pushed to the phones of the house while no page is open."""
