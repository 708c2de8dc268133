"""The command line, as in its own tests."""

from tests.cli.conftest import cnnbench, folder, own_folders

__all__ = ["cnnbench", "folder", "own_folders"]
