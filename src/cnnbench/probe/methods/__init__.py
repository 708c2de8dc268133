"""Training methods. A file defines `train(task, windows)`; see train_on_batch.py.

docstring       first line: what it is; then what a window of it contains
IN_MEMORY       whether it trains on arrays in memory or reads its batches while training
FROM_START      True where each window begins with the first batch, cut out of arrays by Keras
ONE_STEP        False where training shows no single steps
train(task, windows)    `steps = windows.grant()`, train so many, `windows.done(...)`; until None
"""
