"""Quotas: what is left in a pool, in slices that takers need not queue for, and how often somebody did something."""
