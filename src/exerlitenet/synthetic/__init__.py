"""Rendered people doing exercises, with exact truth, for tests, the demo and training."""

from hashlib import sha256
from pathlib import Path


def renderer() -> str:
    """A name for the renderer as it is: what an earlier one made, and a cache kept, is not taken for its work."""
    return sha256(b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()[
        :8
    ]
