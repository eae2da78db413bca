"""Measurements, as ratios against something run beside them: `make bench`."""
