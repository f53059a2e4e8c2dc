"""The array types that kernels take and return: contiguous, one-dimensional unless a docstring says otherwise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Samples = NDArray[np.int32] | NDArray[np.float64]  # as a file stores them, or with gaps filled
Kinds = NDArray[np.int8]
