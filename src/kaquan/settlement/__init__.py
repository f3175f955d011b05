"""Settlement: what merchants earned in a period, what it costs them, what is held back, what the bank pays."""
