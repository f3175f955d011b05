"""Payments at merchants: quote, pay, authorize, capture, void, refund, reverse."""
