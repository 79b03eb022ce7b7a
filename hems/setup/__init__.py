"""Setting the home up from its page: settings that no person writes into a file."""
