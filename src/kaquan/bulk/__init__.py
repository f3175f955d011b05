"""Bulk jobs: many rows of one operation, sent together, carried out one by one; which of them failed, and why."""
