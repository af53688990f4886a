"""A clip decoded in another process, with limits of time and memory."""
