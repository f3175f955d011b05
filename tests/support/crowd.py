"""Processes that write at once into one installation, each to a file of its own: some have work, the others go on."""

import multiprocessing
import pickle
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Part = tuple[Callable[..., None], object]
"""What a process runs, with the world before and its file after; and what it is given between."""


def told(path: Path) -> Iterator[Any]:
    """What a process wrote, in order."""
    with path.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)
            except EOFError:
                return


def run_at_once(
    world: object, folder: Path, working: Mapping[str, Part], others: Mapping[str, Callable[..., None]]
) -> None:
    """Start everybody; once all who have work are done, a file tells the others to stop. Raises what one raised."""
    context = multiprocessing.get_context("spawn")
    stop = folder / "stop"

    def start(name: str, target: Callable[..., None], argument: object) -> Any:
        process = context.Process(target=target, args=(world, argument, folder / name), name=name, daemon=True)
        process.start()
        return process

    workers = [start(name, *part) for name, part in working.items()]
    rest = [start(name, target, stop) for name, target in others.items()]
    for process in workers:
        process.join()
    stop.touch()
    for process in rest:
        process.join()
    failed = [path.read_text() for path in folder.glob("*.failed")]
    assert not failed, "\n".join(failed)
