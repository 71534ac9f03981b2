"""VisualDL's record format: encoding and decoding of bytes, without I/O."""
