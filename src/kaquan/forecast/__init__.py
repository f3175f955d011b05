"""Forecast: what a program would have cost on the traffic of the past, before it is opened."""
