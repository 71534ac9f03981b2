"""`vizkit.autolog`: records code that does not use VizKit."""
