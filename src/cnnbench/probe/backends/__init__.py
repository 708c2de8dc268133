"""Backends. A file defines these functions; see jax.py for a short one.

docstring                   first line: what it is
clock()                     monotonic seconds
boot(case, threads, seed)   configures and imports; gives `keras`
facts(keras)                versions, and what runs: backend, data_format, precision, device
compiled(keras, model)      of the compiled model: computes_in, jit
fence(keras, model)         a function that waits for all parameters
convolutions(keras, model)  after training: the layout in which convolutions were run
"""
