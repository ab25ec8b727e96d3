"""Agree on a meeting, move it, call it off, and say how it went."""
