"""A trained model at work: frames in, exercises and repetitions out."""
