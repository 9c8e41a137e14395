"""Analysis: pure functions on arrays of returns; they know of no market and no strategy."""
