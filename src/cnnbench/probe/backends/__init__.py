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
weights(keras, model)       for proofs: all weights, in Keras' order
slots(keras, model)         for proofs: the optimiser's state by name, as trainable weights are
read_back(keras, model)     for proofs: the first layer's kernel, whose gradient comes last
watch(keras, model)         for proofs: a function that counts passes, images and calls forward
order_updates(keras)        for proofs, where updates have none: they wait for all gradients
KERNELS_OUT_FIRST           data formats in which kernels are (out, in, rows, columns), if any
renew(keras, model)         for proofs, where compiling takes long: all but the weights as if new
definition(name)            only where models are not Keras': what builds and compiles one
without_dropout(keras)      for proofs, where dropout is not Keras'
without_draws(keras)        for proofs, which are given weights, where it takes long to draw others
macs(model, channels_first) only where layers do not show their weights and shapes
right(model, x, y)          only where nothing is predicted: images of a batch classified rightly
stepper(keras, model)       for experiments, where there is one: see stepper.py
RANKS                       only where it holds: each device has a process of its own (ranks.py)

Many devices share each step: every one of `case["devices"]` trains on `case["batch_size"]` images,
and gradients are averaged. CPUs are virtual devices: parts of the machine's own.
"""
