"""Images of any number and size through a model, within limits."""
