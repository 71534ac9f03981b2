"""Bytes of logs to columns: many records at once, with NumPy alone."""
