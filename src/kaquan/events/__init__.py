"""What happened, by name: the journal row of each batch carries its events, and delivery reads them from there."""
