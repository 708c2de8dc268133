"""Stacks, and how each becomes an interpreter that can import Keras."""
