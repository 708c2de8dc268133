"""TensorFlow's tf.data: its own threads read, decode, resize and batch ahead.

Images are shrunk with a filter (`antialias`), as Pillow does; without, tf.data is faster, and its
pixels are others.
"""

from typing import Any, Iterator

from ..faults import Unsupported

AHEAD = 2  # batches


def stream(feed: Any, first: int, threads: int) -> Iterator[Any]:
    """Read by as many threads as the launch has CPUs."""
    try:
        import tensorflow as tf
    except ImportError:
        raise Unsupported("the stack has no TensorFlow; take --loader threads") from None
    if tf.__version__.startswith("1."):
        raise Unsupported("tf_data is of TensorFlow 2; take --loader threads")
    if not feed.has_files:
        raise Unsupported("tf_data decodes photographs; take --loader threads for this data set")
    paths, labels = feed.files()
    height, width, _ = feed.shape

    def one(path: Any, label: Any) -> Any:
        pixels = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        image = tf.image.resize(pixels, (height, width), antialias=True)
        image = tf.round(image) / 255.0
        if feed.channels_first:
            image = tf.transpose(image, (2, 0, 1))
        return image, tf.one_hot(label, feed.classes)

    with tf.device("CPU"):
        batches = (
            tf.data.Dataset.from_tensor_slices((paths, labels))
            .map(one, num_parallel_calls=threads)
            .batch(feed.batch_size)
            .repeat()
            .skip(first % len(feed))
            .prefetch(AHEAD)
        )
    found: Iterator[Any] = batches.as_numpy_iterator()
    return found
