"""The load benchmark: see ../README.md."""
