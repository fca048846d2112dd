"""Services and databases on Render, over its public API (https://api-docs.render.com)."""
