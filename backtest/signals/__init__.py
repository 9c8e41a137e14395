"""Signals: from what was known to yes or no at each fill, for one parameter set or a whole grid."""
