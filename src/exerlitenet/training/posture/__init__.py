"""The default model: a frame network that finds joints, and a sequence head."""
