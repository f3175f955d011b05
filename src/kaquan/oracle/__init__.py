"""The refund oracle: every legal outcome of a refund, with reasons, reckoned in fractions."""
