"""The default model: a frame network that sees joints, and a sequence head."""
