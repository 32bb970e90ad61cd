"""The lives of the rows, one table each; nothing else assigns `status`."""
