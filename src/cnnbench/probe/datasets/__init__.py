"""Data sets. A file defines `open_source(directory, seed)`; files that begin with `_` are helpers.

    docstring       first line: what it is; then source, licence, and what is stored where
    SHAPE           (height, width, 3) of every image
    CLASSES         how many labels there are
    FOLDER          folder that is looked for under the data directory; None if images are made
    SAMPLE          folder of a smaller set in that layout, taken where FOLDER is absent (optional)
    HOLDS, LAYOUT   names of which that folder holds one, and the same for people (with FOLDER)
    URL, SHA256     what the publisher offers, and its checksum (where it can be downloaded)
    open_source(directory, seed)    a source; `directory` is None where FOLDER is None
    open_held_out(directory, seed)  one of images that are not trained on (optional)

A source has `len(source)`, `source.read(indices)` and `source.facts()`. `read` gives uint8 images
(n, height, width, 3) and int64 labels (n,), and may be called from several threads at once. The
first n images are spread over the classes as evenly as the set allows, except in `cifar10`, which
keeps its publisher's order (random already); to shuffle is the caller's business.
"""
