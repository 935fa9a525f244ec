"""Predictions to numbers and a page: how good a model is on labelled clips. No Keras."""
