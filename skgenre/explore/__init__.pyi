from ._explore import Explorer, explore

__all__ = ["Explorer", "explore"]
