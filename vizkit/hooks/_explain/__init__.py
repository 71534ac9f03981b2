"""Attribution: which pixels a prediction rests on."""
