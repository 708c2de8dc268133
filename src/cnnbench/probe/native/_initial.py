"""First weights, drawn as Keras draws them: how fast a network learns depends on where it begins.

Sources: Glorot & Bengio, AISTATS 2010; He et al., ICCV 2015.
"""

import math
from typing import Any

GLOROT, HE = "glorot_uniform", "he_normal"
TRUNCATED = 0.87962566103423978  # standard deviation of a standard normal cut off at 2


def begin(module: Any, initializer: str) -> None:
    """Draw all kernels; biases are 0, and batch normalisation begins as PyTorch has it too.

    Args:
        module: Whose layers are in `keras_order()`.
        initializer: `glorot_uniform` or `he_normal`, the latter cut off at two deviations.
    """
    from torch import nn

    for layer in module.keras_order():
        if isinstance(layer, nn.BatchNorm2d):
            continue
        nn.init.zeros_(layer.bias)
        if initializer == GLOROT:
            nn.init.xavier_uniform_(layer.weight)
        else:
            deviation = math.sqrt(2 / layer.weight[0].numel()) / TRUNCATED
            nn.init.trunc_normal_(layer.weight, 0.0, deviation, -2 * deviation, 2 * deviation)
