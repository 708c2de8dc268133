"""Models. A file defines `build(keras, shape, classes)`; see simple_cnn.py.

docstring       first line: what it is; then the paper, or where it comes from
SMALLEST        smallest (height, width) that it can take
PARAMETERS      ((height, width, 3), classes) -> parameters, where known; asserted on every stack
build(keras, shape, classes)    the model; `shape` is in the data format of `keras`
compile(keras, model)           its loss, optimiser and metrics; Adam at 1e-3 without it
"""
