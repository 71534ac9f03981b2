"""Bytes of logs to columns: many records at once, with NumPy alone.

`read_log` of `column_builder` reads a whole log. `frame_scan` finds frames, `record_batch` parses many
records, `repeats` is the fast path for scalars that repeat the same tags; `series_table` sorts records by
tag, and `series` holds the columns.
"""
