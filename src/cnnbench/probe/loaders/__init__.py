"""Loaders: how batches are read while a method trains. A file defines what stands here.

docstring                       first line: what it is
stream(feed, first, threads)    batches (x, y) from number `first` of the launch on, in order,
                                without end: what `feed.read` gives, or pixels near to it

Decoders and resizers differ in the last bits of a pixel. Each launch compares the first batch of
its loader with what Pillow makes of the same photographs (`datasets/_folders.py`): the mean pixel
may be off by `TOLERANCE` levels of 256, labels by nothing.
"""

TOLERANCE = 2.0
