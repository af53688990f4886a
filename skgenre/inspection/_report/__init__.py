"""The page of HTML on a model's predictions."""
