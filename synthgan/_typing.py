"""Names for arrays of one type of numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Objects = npt.NDArray[np.object_]

Hashes = npt.NDArray[np.uint64]
