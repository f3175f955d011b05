"""Risk: what is counted about a card while it pays, and what the counters say to its next payment."""
