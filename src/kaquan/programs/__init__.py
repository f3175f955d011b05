"""A program is data: its terms, what makes them possible, and what they say in plain words."""
