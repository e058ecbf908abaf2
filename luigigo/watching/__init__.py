"""Builds that are made again while their sources are edited."""
