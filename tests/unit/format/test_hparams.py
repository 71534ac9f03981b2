"""Hyper-parameters of every type, flat and plain."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.format.frames import TAGS, body, fast, proto_value
from vizkit.format import encode
from vizkit.format.decode import decode_record
from vizkit.format.types import HParams

PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.integers(), max_size=3),
)  # fmt: skip


@fast
@given(st.dictionaries(TAGS, PLAIN, max_size=6))
def test_hparams_of_every_type_come_back_as_they_were(hparams: dict[str, object]) -> None:
    frame = encode.encode_hparams(HParams(hparams, ["acc"], "name"), 5)
    read = decode_record(body(frame)).data
    np.testing.assert_equal(read.hparams, hparams)
    assert {key: type(value) for key, value in read.hparams.items()} == {
        k: type(v) for k, v in hparams.items()
    }
    assert (read.metrics, read.name) == (["acc"], "name")
    for info in proto_value(frame).hparam.hparamInfos:  # no NaN where the page would choke on it
        assert info.WhichOneof("type") != "float_value" or math.isfinite(info.float_value)
