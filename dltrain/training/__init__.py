"""Training: the loop, callbacks, device and seeds."""
