"""Records of stock VisualDL, and those that are broken."""

from __future__ import annotations

import math

from visualdl.proto.record_pb2 import Record as Proto

from vizkit.format.decode import decode_record


def test_curves_of_stock_visualdl_are_read_with_the_thresholds_it_means() -> None:
    stock = Proto.PRCurve(TP=[2, 1], FP=[1, 0], TN=[0, 1], FN=[0, 1], precision=[0.5, 1], recall=[1, 0.5])
    data = Proto(values=[Proto.Value(id=3, tag="a", timestamp=5, pr_curve=stock)]).SerializeToString()
    curve = decode_record(data).data
    assert curve.thresholds.tolist() == [0.0, 1.0]
    assert curve.tp.tolist() == [2.0, 1.0]
    assert math.isnan(curve.ap)
