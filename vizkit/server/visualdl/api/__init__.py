"""VisualDL's HTTP API, a module for each page; each lists its endpoints in ``ENDPOINTS``."""
