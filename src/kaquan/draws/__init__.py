"""Draws (摇号): vouchers by lot, with a seed committed before anybody enters and receipts that anyone can check."""
