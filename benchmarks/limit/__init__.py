"""The limit: what PostgreSQL and a bare ASGI application can give, with a statement written by hand a workload."""
