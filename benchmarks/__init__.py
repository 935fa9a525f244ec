"""Measurements for research, beside `exerlitenet benchmark` and not in its wheel: other people's models, the paper's
way of training, the machine's ceiling.
"""
