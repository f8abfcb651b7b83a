"""How Alembic reaches the catalogue: on the connection `store.catalogue` hands it."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
