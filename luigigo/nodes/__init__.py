"""A node of a cluster: the worker that runs actions which luigid gives it."""
