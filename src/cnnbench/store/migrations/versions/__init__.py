"""The versions; what was released is never edited."""
