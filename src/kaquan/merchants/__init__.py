"""Merchants and their stores: who accepts cards, in which group, and where they are paid."""
