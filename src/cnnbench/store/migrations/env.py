"""What Alembic runs: the versions, on the connection that it was given, in its transaction."""

from alembic import context

from cnnbench.store.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
