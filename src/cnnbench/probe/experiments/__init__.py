"""Experiments: a case with one part of its work left out, to see what that part costs.

A file defines:

docstring                   first line: what is left out
train(task, windows, method, stepper)   trains as methods do. `method` is the case's own module;
                            `stepper()` gives the backend's `Stepper`, or raises `Unsupported`

What an experiment measures is no speed of training: it has no proof, and no table shows it but that
of `cnnbench diagnose`. Chains of them say where a step's time goes: `diagnosis.py` of the host.
"""
