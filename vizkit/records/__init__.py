"""VisualDL's record format, both ways: encode, append, recover, decode."""
