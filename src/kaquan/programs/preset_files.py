"""The presets that ship with the package: program files to start from."""

from importlib.resources import files

_SUFFIX = ".toml"
_FOLDER = files("kaquan.programs") / "presets"


def names() -> list[str]:
    """The presets there are, in alphabetical order."""
    return sorted(entry.name.removesuffix(_SUFFIX) for entry in _FOLDER.iterdir() if entry.name.endswith(_SUFFIX))


def text(name: str) -> str:
    """The file of the preset `name`. Raises `KeyError` when there is none by that name."""
    if name not in names():
        raise KeyError(name)
    return (_FOLDER / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
