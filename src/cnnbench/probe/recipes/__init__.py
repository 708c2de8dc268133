"""Recipes: named changes that may make a case faster. A file defines some of these.

docstring           first line: what it does; then why that may help, and where
CHANGES             what it may change numerically: `exact` (nothing), `rounding` or `training`
SOURCE              where it is documented
SLOT                only where it has rivals: what it decides; two recipes of one slot do not mix
ROUNDS_LIKE         only where it computes less precisely than the case says: the precision it has
IDLES               False where a process that waits keeps its CPUs busy: it waits beside no other
MENDS               True where training that is wrong as it comes is known to be right with it
ONE_STEP            False where training shows no single steps any more
refusal(case)       why it does not go with a case on this machine, or nothing; the host asks, with
                    the case's fields and `backend`
environment(case)   variables of the process, which stand before it begins
build(keras)        changes the framework, before a model is built
compiled(keras, model)      changes the model, once it is compiled
holds()             only where it could fail in silence: whether this process has it

A recipe that reaches into Keras says which releases it knows, and raises `Unsupported` on others.
"""
