"""A stock Keras 3 script that trains a small ResNet, and says how fast.

Before, and after `cnnbench tune --stack keras3-torch --model resnet20_cifar` has written
cnnbench_tuned.py beside it:

    python train.py
    cnnbench exec -- python -c "import cnnbench_tuned, runpy; runpy.run_path('train.py')"

or with `import cnnbench_tuned` as its first line.
"""

import time

import keras
import numpy as np

BATCH, STEPS, WARM_UP = 32, 40, 10


def block(x, filters, stride):
    """Two convolutions, and a way around them."""
    layers = keras.layers
    axis = 1 if keras.config.image_data_format() == "channels_first" else -1
    shortcut = x
    if stride > 1 or x.shape[axis] != filters:
        shortcut = layers.Conv2D(filters, 1, strides=stride)(x)
    for step in (stride, 1):
        x = layers.Conv2D(filters, 3, strides=step, padding="same")(x)
        x = layers.BatchNormalization(axis=axis)(x)
        if step == stride and stride > 1:
            x = layers.Activation("relu")(x)
    return layers.Activation("relu")(layers.Add()([x, shortcut]))


def build():
    """The network."""
    first = keras.config.image_data_format() == "channels_first"
    image = keras.layers.Input((3, 32, 32) if first else (32, 32, 3))
    x = keras.layers.Conv2D(16, 3, padding="same")(image)
    for filters, stride in ((16, 1), (16, 1), (32, 2), (32, 1), (64, 2), (64, 1)):
        x = block(x, filters, stride)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(10, activation="softmax", dtype="float32")(x))


def main():
    """Train, and time the later steps."""
    model = build()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    random = np.random.default_rng(1)
    images = random.random((BATCH, *model.input_shape[1:]), dtype="float32")
    labels = random.integers(0, 10, BATCH)
    for step in range(WARM_UP + STEPS):
        if step == WARM_UP:
            begun = time.perf_counter()
        loss = model.train_on_batch(images, labels)
    seconds = time.perf_counter() - begun
    print("loss %.4f, %.0f images/s" % (float(loss), BATCH * STEPS / seconds))


if __name__ == "__main__":
    main()
