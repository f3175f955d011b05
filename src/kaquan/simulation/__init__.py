"""A town of holders and stores that lives through simulated days, for the demo, for tests and for what-if."""
