"""The fast paths of the book against their peers: `python -m benchmarks [WORD ...]`."""
