"""Data sets, loaded or drawn, as tensors."""
