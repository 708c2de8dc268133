"""Compute batch normalisation under Keras torch by PyTorch's one operation for it.

Keras computes it of small ones: mean, variance, difference, product, and the moving averages, each
of which reads or writes all activations. The moving averages stay Keras' own: of the batch's
variance over n, not over n - 1 as PyTorch has them.
"""

from typing import Any

from .. import releases
from . import _keras_torch

CHANGES = "rounding"
SOURCE = "PyTorch, torch.native_batch_norm"

RELEASES = ("3.15",)
IMAGES = 4  # dimensions


def refusal(case: Any) -> str:
    """Of other backends."""
    return _keras_torch.refusal(case)


def build(keras: Any) -> None:
    """Layers that are called from now on compute so; what they cannot, they compute as before."""
    import torch

    releases.keras3(keras, RELEASES, "this recipe")
    layer = keras.layers.BatchNormalization
    usual = layer.call

    def call(self: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        axis = self.axis % IMAGES
        plain = mask is None and getattr(self, "renorm", False) is False
        if not (plain and training and self.trainable and inputs.ndim == IMAGES and axis in (1, 3)):
            return usual(self, inputs, training=training, mask=mask)
        images = inputs if axis == 1 else inputs.permute(0, 3, 1, 2)
        # In float32 also where activations are not: so are then the statistics.
        gamma = self.gamma.value.float() if self.scale else None
        beta = self.beta.value.float() if self.center else None
        found, mean, inverse = torch.native_batch_norm(
            images, gamma, beta, None, None, bool(training), 0.0, self.epsilon
        )
        with torch.no_grad():
            variance = inverse.pow(-2) - self.epsilon
            for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.value.mul_(self.momentum).add_(batch, alpha=1.0 - self.momentum)
        return found if axis == 1 else found.permute(0, 2, 3, 1)

    layer.call = call
