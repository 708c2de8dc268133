"""The version of cnnbench."""

from importlib.metadata import version

VERSION = version("cnnbench")
