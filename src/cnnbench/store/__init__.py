"""What was seen, kept: one append-only database of campaigns, launches and windows."""
