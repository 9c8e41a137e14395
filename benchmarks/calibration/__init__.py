"""Calibration: how often what a page promises is so, in markets whose truth is known because we drew them."""
