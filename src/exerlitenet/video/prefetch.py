"""Prefetching: while one frame is worked on, a thread already decodes the next ones."""

from __future__ import annotations

import threading
from collections.abc import Generator
from queue import SimpleQueue

from exerlitenet.results import Frame


def prefetched(frames: Generator[Frame, None, None], most: int) -> Generator[Frame, None, None]:
    """The same frames, up to `most` of them read before they are asked for.

    What reading raises is raised here, behind the frames that came before it. `frames` belongs to the thread from the
    first frame on; closing what this returns ends the thread, then closes `frames`.
    """
    ready: SimpleQueue[Frame | BaseException | None] = SimpleQueue()
    room = threading.Semaphore(most)
    stopped = threading.Event()

    def read() -> None:
        try:
            while room.acquire() and not stopped.is_set():
                frame = next(frames, None)
                ready.put(frame)
                if frame is None:
                    return
        except BaseException as fault:
            ready.put(fault)

    thread = threading.Thread(target=read, name="prefetch", daemon=True)
    thread.start()
    try:
        while (found := ready.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            room.release()
            yield found
    finally:
        stopped.set()
        room.release()
        thread.join()
        frames.close()
