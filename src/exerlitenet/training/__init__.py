"""Learning and judging. Keras is imported only inside the functions that need it."""
