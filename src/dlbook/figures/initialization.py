"""Figures of the chapter on initialization; docstrings are alternative texts."""
