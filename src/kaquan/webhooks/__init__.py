"""Webhooks: what happened is told to addresses that organisations gave, signed, at least once."""
