"""A deep-learning course book in which every line runs."""
