"""Independent answers, worked out in plain pandas without the package under test."""
