"""VizKit's own pages: runs, one run, comparison, groups, problems; each view has its address."""
