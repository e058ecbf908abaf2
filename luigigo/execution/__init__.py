"""Doing actions of any kind on one node: their folders, claims and times, and the events of their lives."""
