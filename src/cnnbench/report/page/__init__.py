"""One HTML file that holds everything: it opens from a disk, and asks nothing of any network."""
