"""The HTTP API of the workspace; ``docs/http-api.md`` describes it."""
