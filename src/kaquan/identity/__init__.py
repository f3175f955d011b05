"""Who calls from outside: API keys with role and scopes, and the log of who did what."""
