"""Records into a run's log: files, the worker thread, VisualDL's writer."""
