"""A Keras network to a bundle of two ONNX graphs."""
