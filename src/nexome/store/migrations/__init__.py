"""The catalogue's schema, step by step, for Alembic; run by `store.catalogue` when a root is opened."""
