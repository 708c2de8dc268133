"""The two guests of a proof: one that trains, one that knows what training should give."""
