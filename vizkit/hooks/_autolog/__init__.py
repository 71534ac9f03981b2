"""`vizkit.autolog`: records code that knows nothing of VizKit."""
