"""Rendered people doing exercises, with exact truth, for tests, the demo and training."""
