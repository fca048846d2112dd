"""The risk of a migration, judged before it runs: PostgreSQL's own parser, crossed with the real database."""
