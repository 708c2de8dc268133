"""From an interpreter to a conversation with the guest that it runs."""
