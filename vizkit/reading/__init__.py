"""Log files to columns, followed as they grow."""
