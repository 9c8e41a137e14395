"""Benchmarks: speed with parity asserted in the same run."""
