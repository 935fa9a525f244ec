"""Learning: configurations, runs, and the networks of both model types. Keras is imported only inside functions."""
