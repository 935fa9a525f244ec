"""Clips on disk to arrays: what is in a data set, its splits, windows and augmentation. No Keras."""
