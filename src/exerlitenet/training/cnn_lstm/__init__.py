"""The paper's network: an image backbone, two LSTMs and a softmax."""
