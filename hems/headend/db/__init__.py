"""One database for any number of workers: transactions, and who has seen which change."""
