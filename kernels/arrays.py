"""The array types that kernels take and return: contiguous, one-dimensional unless a docstring says otherwise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Kinds = NDArray[np.int8]
