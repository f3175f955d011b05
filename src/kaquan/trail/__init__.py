"""The tamper-evident trail: what happened, provable to those who may see it and silent to all others."""
