"""What the wholesale market says: prices beside the published net-benefits price."""
