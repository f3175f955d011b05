"""Stocks of vouchers: opened from a program's terms, paused, resumed, raised, stopped."""
