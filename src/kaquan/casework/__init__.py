"""Cases that a person decides: disputes about payments and payouts, with deadlines; what they hold back."""
