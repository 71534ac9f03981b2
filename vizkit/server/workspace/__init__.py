"""VizKit's own page: the table of runs, one run, differences, groups, problems; each view has its address."""
