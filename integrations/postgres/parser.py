"""PostgreSQL's own parser, taken untyped: the package's stubs are not valid Python, so none may read them."""

from importlib import import_module
from typing import Any

postgast: Any = import_module("postgast")
nodes: Any = import_module("postgast.pg_query_pb2")
