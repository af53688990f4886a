"""Music libraries: embedded tags, and the genres that they name."""
