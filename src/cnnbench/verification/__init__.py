"""Whether training is right: what a stack's steps gave, held against a reference in float64.

`given.py` makes what every stack starts from, `checks.py` compares, by the optimisers of
`optimizers.py` and the averages of `moving.py`; `explanations.py` lists what stacks are known to do
otherwise. Pure: arrays in, verdicts out.
"""
