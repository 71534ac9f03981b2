"""What VizKit promises about speed, measured beside its peers; see README.md."""
