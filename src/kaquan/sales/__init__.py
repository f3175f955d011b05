"""Selling cards and topping them up: what is paid becomes principal, what is granted becomes bonus."""
