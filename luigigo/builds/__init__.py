"""Builds of Go programs: planning, what is up to date, running, delivering, reporting."""
