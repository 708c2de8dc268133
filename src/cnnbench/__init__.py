"""cnnbench: how fast a convolutional network really trains, on every Keras backend."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("cnnbench")
