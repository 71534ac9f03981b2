"""A network's summary, graph, copies and saved files."""
