"""VisualDL's HTTP API, one module a page; each names its endpoints in `ENDPOINTS`."""
