"""VisualDL's record format as bytes, both ways, with no input or output."""
