"""Paying once: what is recorded before a request is sent, and what a try decides from it."""
