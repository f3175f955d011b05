"""Vouchers: claims on funders that a payment or a top-up turns into money."""
