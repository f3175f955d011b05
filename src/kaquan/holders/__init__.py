"""Holders and their wallets: one wallet per holder; it holds the cards of every issuer."""
