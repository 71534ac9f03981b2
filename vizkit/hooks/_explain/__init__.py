"""Heat maps of the pixels that a network's scores depend on."""
