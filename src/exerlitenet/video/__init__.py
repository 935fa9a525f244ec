"""Pixels and time: videos to frames, frames to the sequences a model sees."""
