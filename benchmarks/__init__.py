"""What the provider costs, measured."""
