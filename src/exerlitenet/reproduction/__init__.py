"""The paper's study and its related systems on any data set."""
