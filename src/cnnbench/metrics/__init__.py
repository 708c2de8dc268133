"""Numbers reported about a case. A file defines one; see images_per_second.py.

docstring       first line: what it is
UNIT, BETTER    `s`, `bytes`, `images/s`...; `higher` or `lower`
of(launch)      the number of one launch, or None if it has none
"""
