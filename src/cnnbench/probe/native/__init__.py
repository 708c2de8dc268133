"""The same models in plain PyTorch, by hand: what those of `../models` are held against.

A file defines `build(shape, classes, **options)`; see simple_cnn.py. Its module takes images as
PyTorch has them, channels first, and gives logits: the softmax is in the loss.

SHAPE, CLASSES      (height, width, 3) and how many labels it is verified with
BATCH               images in a training step that is verified
OPTIMIZER           name, and keyword arguments, of the rule of `cnnbench.verification.optimizers`
L2                  weight of the squared kernels of convolutions in the loss
INITIALIZER         what kernels are drawn by, of `_initial.py`
build(shape, classes, symmetric, channels_first)
    symmetric       whether a strided convolution pads both sides alike
    channels_first  whether channels come first where an image is flattened, and not last

The module lists its layers with weights, in the order in which Keras lists theirs, by
`keras_order()`. None of Keras is imported here, nor is anything of `../models`.
"""
