"""What the law asks, as data with its sources, and the rules that read it."""
