"""The guest: the program that runs inside a stack, asked by the host, deciding nothing.

It is shipped as one zip and started as `<stack python> -I -B probe.pyz`. Rules of its house:

- Python 3.6 grammar and library: no dataclasses, no `from __future__ import annotations`, no `:=`,
  no positional-only parameters, no `capture_output`, no `perf_counter_ns`, no `importlib.metadata`,
  no `list[int]`.
- It imports the standard library, and, inside functions only, what the stack holds: so that the
  host and a bare Python can read every file for its name, docstring and constants.
- `keras` is an argument of every plug-in, never an import: one file serves Keras 2.1.5 and Keras 3.
- It imports nothing of the host.
"""
