"""Cards and the lots they hold: principal, bonus, subsidy, each with its own source and expiry."""
