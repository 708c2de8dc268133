"""Results for people and for programs. Reads; runs nothing, prints nothing."""
