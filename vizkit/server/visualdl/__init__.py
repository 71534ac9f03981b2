"""VisualDL's page over VizKit's reader."""
