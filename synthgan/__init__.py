"""Synthetic rows with the columns and patterns of a real table.

>>> import synthgan
>>> sorted(synthgan.__all__) == synthgan.__all__
True

Names are loaded when they are first used, so that importing the package is light; the stub
beside this file says where each is defined.
"""

from importlib.metadata import version

import lazy_loader

_load, _, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    if name == "__version__":
        return version("synthgan")
    try:
        value: object = _load(name)
    except AttributeError:
        raise AttributeError(
            f"module 'synthgan' has no attribute {name!r}; a table is learned by "
            "synthgan.fit(df), and dir(synthgan) lists all names"
        ) from None
    return value


def __dir__() -> list[str]:
    special = [name for name in globals() if name.startswith("__") and name.endswith("__")]
    return sorted({*special, "__version__", *__all__})
