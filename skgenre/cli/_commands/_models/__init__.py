"""Commands that train models, and tell what a model is and how good."""
