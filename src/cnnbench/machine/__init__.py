"""The host around the stack: what it is, how busy it is, and exclusive use of it."""
