"""Reporting: tables, figures and folders made of results; it draws and never computes measures."""
