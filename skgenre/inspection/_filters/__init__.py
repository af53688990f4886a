"""What the filters of a network respond to, as arrays and as sound."""
