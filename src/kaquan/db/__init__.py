"""The database: where it runs, how it is reached, how its schema came to be. No business rule lives here."""
