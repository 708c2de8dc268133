"""What stacks are known to do otherwise than the reference, and why.

An explanation names a cause, the stacks and the layers that it is of, and changes what a stack is
held to do. It widens no tolerance: with its cause built into the reference, the stack must agree
with it to rounding. `tests/stacks/test_explanations.py` shows for each that removing the cause from
the model removes the difference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cnnbench.case import Case
    from cnnbench.record import Facts
    from cnnbench.verification.traits import Traits


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A known difference.

    Attributes:
        name: As tables show it.
        about: What the stack does, for people.
        layer: Where.
        stacks: Which, for people.
        holds: Whether a stack does so, from what ran there.
        change: What the stack is held to do then.
    """

    name: str
    about: str
    layer: str
    stacks: str
    holds: Callable[[Case, Facts], bool]
    change: Callable[[Traits], Traits]


def candidates(case: Case, facts: Facts) -> list[Explanation]:
    """What may explain a difference of a stack.

    Args:
        case: What was trained.
        facts: What ran: `backend`, `keras_version`, `jit`.
    """
    return [explanation for explanation in EXPLANATIONS if explanation.holds(case, facts)]


def applied(traits: Traits, explanations: Iterable[Explanation]) -> Traits:
    """What a stack is held to do with all of some explanations."""
    for explanation in explanations:
        traits = explanation.change(traits)
    return traits


def _is_before(facts: Facts, *version: int) -> bool:
    """Whether it is a Keras that is older than a version."""
    if "keras_version" not in facts:
        return False
    found = tuple(int(part) for part in str(facts["keras_version"]).split(".")[: len(version)])
    return found < version


def _is_keras3(facts: Facts) -> bool:
    return "keras_version" in facts and not _is_before(facts, 3)


def _is_mxnet(facts: Facts) -> bool:
    return facts["backend"] == "mxnet"


def _is_tensorflow1(facts: Facts) -> bool:
    return facts["backend"] == "tensorflow" and not _is_keras3(facts)


def _mistakes_width(case: Case, facts: Facts) -> bool:
    """Whether a bias may be taken to lie along the width."""
    is_tensorflow = facts["backend"] == "tensorflow" and _is_keras3(facts)
    return is_tensorflow and case.data_format == "channels_first"


def _epsilon_inside(traits: Traits) -> Traits:
    rule = traits.rule
    return replace(traits, rule=replace(rule, inside=rule.name == "rmsprop"))


def _mxnet_epsilon(traits: Traits) -> Traits:
    rule = traits.rule
    return replace(traits, rule=replace(rule, epsilon=1e-8, inside=rule.name == "rmsprop"))


def _variant(name: str) -> Callable[[Traits], Traits]:
    return lambda traits: replace(traits, variants=traits.variants | {name})


EXPLANATIONS = (
    Explanation(
        name="epsilon inside the root",
        about="RMSprop divides by √(v + ε), not by √v + ε",
        layer="RMSprop",
        stacks="Keras 3",
        holds=lambda _, facts: _is_keras3(facts),
        change=_epsilon_inside,
    ),
    Explanation(
        name="MXNet's epsilon",
        about="ε is 1e-8, not 1e-7, and RMSprop's is added inside the root",
        layer="RMSprop, Adam",
        stacks="keras-mxnet",
        holds=lambda _, facts: _is_mxnet(facts),
        change=_mxnet_epsilon,
    ),
    Explanation(
        name="bias along the width",
        about=(
            "Keras 3 has TensorFlow add a bias with channels_first along the width where there are"
            " as many filters as columns; its gradient is then of columns, not of channels"
        ),
        layer="Conv2D with as many filters as columns",
        stacks="Keras 3 on TensorFlow, not compiled",
        holds=lambda case, facts: _mistakes_width(case, facts) and facts["jit"] == "none",
        change=_variant("bias along the width"),
    ),
    Explanation(
        name="bias added along the width",
        about=(
            "the same, compiled by XLA, which does as it is told: the bias itself is added to"
            " columns, where TensorFlow's graphs add it to channels and mistake its gradient only"
        ),
        layer="Conv2D with as many filters as columns",
        stacks="Keras 3 on TensorFlow, `jit`",
        holds=lambda case, facts: _mistakes_width(case, facts) and facts["jit"] != "none",
        change=_variant("bias added along the width"),
    ),
    Explanation(
        name="loss of logits",
        about=(
            "the cross-entropy is computed from what the softmax was given, so that no probability"
            " is kept 1e-7 away from 0 and 1; seen where a network is that sure"
        ),
        layer="loss",
        stacks="Keras 3 on TensorFlow, plain PyTorch",
        holds=lambda _, facts: (
            facts["backend"] == "native" or (facts["backend"] == "tensorflow" and _is_keras3(facts))
        ),
        change=_variant("loss of logits"),
    ),
    Explanation(
        name="running mean of losses",
        about="train_on_batch tells the mean loss of all steps so far, not the step's",
        layer="loss",
        stacks="some releases of Keras 3",
        holds=lambda case, facts: case.method == "train_on_batch" and _is_keras3(facts),
        change=lambda traits: replace(traits, running_mean=True),
    ),
    Explanation(
        name="symmetric padding",
        about="a strided `same` convolution pads all sides alike, not the end",
        layer="Conv2D with strides",
        stacks="keras-mxnet",
        holds=lambda _, facts: _is_mxnet(facts),
        change=_variant("symmetric padding"),
    ),
    Explanation(
        name="channels first in flat images",
        about="`Flatten` keeps the order of channels first; later releases turn it round",
        layer="Flatten",
        stacks="Keras before 2.2",
        holds=lambda case, facts: case.data_format == "channels_first" and _is_before(facts, 2, 2),
        change=_variant("channels first in flat images"),
    ),
    Explanation(
        name="fixed gamma",
        about="MXNet's `fix_gamma` is left on: gamma is 1, whatever it was given, and not trained",
        layer="BatchNormalization",
        stacks="keras-mxnet",
        holds=lambda _, facts: _is_mxnet(facts),
        change=_variant("fixed gamma"),
    ),
    Explanation(
        name="unordered updates",
        about=(
            "a layer's weights are updated while gradients still go back through them; which layers"
            " are late differs from run to run"
        ),
        layer="all with weights",
        stacks="Keras 2 on TensorFlow 1",
        holds=lambda _, facts: _is_tensorflow1(facts),
        change=lambda traits: replace(traits, unordered=True),
    ),
    Explanation(
        name="debiased moving averages",
        about="a moving average forgets where it began (`zero_debias`)",
        layer="BatchNormalization",
        stacks="Keras 2 on TensorFlow 1",
        holds=lambda _, facts: _is_tensorflow1(facts),
        change=lambda traits: replace(traits, average=replace(traits.average, debiased=True)),
    ),
    Explanation(
        name="unbiased moving variance",
        about="a batch's variance is multiplied by n / (n - 1.001) before it is averaged",
        layer="BatchNormalization",
        stacks="Keras 2 on TensorFlow 1",
        holds=lambda _, facts: _is_tensorflow1(facts),
        change=lambda traits: _corrected(traits, "keras"),
    ),
    Explanation(
        name="unbiased variance of PyTorch",
        about="a batch's variance is multiplied by n / (n - 1) before it is averaged",
        layer="BatchNormalization",
        stacks="plain PyTorch",
        holds=lambda _, facts: facts["backend"] == "native",
        change=lambda traits: _corrected(traits, "bessel"),
    ),
    Explanation(
        name="unbiased fused variance",
        about="and by n / (n - 1) as well, by TensorFlow's fused batch normalisation",
        layer="BatchNormalization",
        stacks="Keras 2 on TensorFlow 1, channels last",
        holds=lambda case, facts: _is_tensorflow1(facts) and case.data_format == "channels_last",
        change=lambda traits: _corrected(traits, "bessel"),
    ),
)


def _corrected(traits: Traits, how: str) -> Traits:
    average = traits.average
    return replace(traits, average=replace(average, corrections=(*average.corrections, how)))
