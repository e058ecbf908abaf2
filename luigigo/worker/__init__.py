"""The daemon that runs actions on a node."""
