"""Music that is made up, for tests and demonstrations."""
