"""Quotas for everybody else: how they are asked for in a load, and what came."""

from kaquan.quotas import store

slice_columns = store.slice_columns
tally_columns = store.tally_columns
quotas = store.quotas
slices_only = store.slices_only
tallies_only = store.tallies_only
open_days = store.open_days
