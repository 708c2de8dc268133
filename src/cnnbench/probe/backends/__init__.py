"""Backends. A file defines these functions; see jax.py for a short one.

docstring                   first line: what it is
clock()                     monotonic seconds
boot(case, threads, seed)   configures and imports; gives `keras`
facts(keras)                versions, and what runs: backend, data_format, precision, device
scope(keras, case)          context in which the model is built and compiled
replicate(keras, model, case)   the model, built, to be compiled and trained on all devices
compiled(keras, model)      of the compiled model: computes_in, jit, and on how many devices
fence(keras, model)         a function that waits for all parameters
convolutions(keras, model)  after training: the layout in which convolutions were run
RANKS                       only where it holds: each device has a process of its own (ranks.py)

Many devices share each step: every one of `case["devices"]` trains on `case["batch_size"]` images,
and gradients are averaged. CPUs are virtual devices: parts of the machine's own.
"""
