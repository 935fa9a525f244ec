"""Parts that networks of both model types are built from."""
