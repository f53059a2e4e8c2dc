"""What LLVM makes no vectors of by itself, in its own words: it does not see that a running sum needs no loop."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

_INT, _LONG = ir.IntType(32), ir.IntType(64)
_INTS = ir.VectorType(_INT, 8)


@intrinsic
def add_eight(typing: Any, data: Any, at: Any, width: Any, least: Any, value: Any, out: Any, i: Any) -> Any:  # noqa: ARG001
    """Puts into out[i : i + 8] the sums of `value` and eight numbers one after the other, and gives the last sum.

    The numbers are `least` and what `width` ≤ 16 bits say each, packed from data[at] on, the lowest first; behind them
    data, uint8, must have eight bytes more. out: int32, sums wrap. For machines whose lowest byte is the first.
    """

    def build(context: Any, build: Any, signature: Any, given: Any) -> Any:
        data, at, width, least, value, out, i = given
        source = make_array(signature.args[0])(context, build, data).data
        target = make_array(signature.args[5])(context, build, out).data
        low, high = _four(build, source, at, width, _LONG(0)), _four(build, source, at, width, _LONG(4))
        both = build.trunc(build.shuffle_vector(low, high, _INTS(list(range(8)))), _INTS)
        mask = build.not_(build.shl(_INT(-1), build.trunc(width, _INT)))
        sums = build.add(build.and_(both, _all(build, mask, 8)), _all(build, least, 8))
        for step in (1, 2, 4):
            earlier = _INTS([k - step if k >= step else 8 for k in range(8)])
            sums = build.add(sums, build.shuffle_vector(sums, _INTS([0] * 8), earlier))
        place = build.bitcast(build.gep(target, [i]), _INTS.as_pointer())
        build.store(build.add(sums, _all(build, value, 8)), place, align=4)
        return build.add(value, build.extract_element(sums, _INT(7)))

    return types.int32(data, types.int64, types.int64, types.int32, types.int32, out, types.int64), build


def _all(build: Any, one: Any, lanes: int) -> Any:
    """A vector of `lanes` times the same."""
    vector = ir.VectorType(one.type, lanes)
    first = build.insert_element(vector(ir.Undefined), one, _INT(0))
    return build.shuffle_vector(first, vector(ir.Undefined), ir.VectorType(_INT, lanes)([0] * lanes))


def _four(build: Any, source: Any, at: Any, width: Any, number: Any) -> Any:
    """Four packed numbers from that `number` on, in the lowest bits of four int64."""
    bit = build.mul(width, number)
    place = build.gep(source, [build.add(at, build.lshr(bit, _LONG(3)))])
    word = build.load(build.bitcast(place, _LONG.as_pointer()), align=1)
    word = build.lshr(word, build.and_(bit, _LONG(7)))
    return build.lshr(_all(build, word, 4), build.mul(_all(build, width, 4), ir.VectorType(_LONG, 4)([0, 1, 2, 3])))
