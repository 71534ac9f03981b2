"""The better direction of a metric, by its name."""

from __future__ import annotations

import pytest

from vizkit.errors import DataError
from vizkit.metrics.direction import direction, known_direction

LOWER = """
train/loss  eval/cross_entropy_loss  valLoss  losses  train/loss/0  dice_loss  iou_loss  accuracy_loss
RMSE  smape  rmsle  eval/err  error_rate  num_errors  top1_err  ppl  perplexity  nll  wer  cer  eval/ECE
brier_score  fid  diff_loss  delta_loss  negative_log_likelihood_loss  neg_log_prob_loss  topology_loss
"""
HIGHER = """
eval/acc  eval/acc_top1  acc@1  acc5  top5  valAcc  accuracy  mIoU  eval/auc/cat  roc_auc  auprc  F1
f1-score  bbox-mAP  mAP50  mAP50-95  AP75  bleu4  rougeL  psnr  ssim  r2_score  kappa  mcc  pixel_accuracy
"""
UNKNOWN = """
foo  lr  learning_rate  time  eval/time  samples/s  samples_per_second  reward  score  grad_norm
loss_scale  loss_weight  loss/scale  eval/loss_time  eval/acc_std  acc_stderr  stderr  auc_ci  acc/loss
loss_of_accuracy_map  accuracy_drop  acc_gap  drop_in_acc  delta/acc_delta  acc_improvement  error_reduction
loss_diff  lossChange  1-acc  -loss  eval/1-accuracy  neg_loss  loss_neg  negative_loss  inverse_loss  invLoss
neg_mean_squared_error  neg_log_loss  eval/neg_root_mean_squared_error  minus_acc
"""


@pytest.mark.parametrize(("names", "way"), [(LOWER, "min"), (HIGHER, "max"), (UNKNOWN, "")])
def test_names_tell_the_direction_or_nothing(names: str, way: str) -> None:
    found = {name: known_direction(name) for name in names.split()}
    assert found == dict.fromkeys(found, way)
    for name in found if way else ():
        assert direction(name, "auto") == way


@pytest.mark.parametrize("name", ["train/loss", "eval/acc", "foo"])
def test_a_given_mode_counts_whatever_the_name(name: str) -> None:
    assert direction(name, "min") == "min"
    assert direction(name, "max") == "max"


@pytest.mark.parametrize("name", ["foo", "", "learning rate", "acc/loss"])
def test_a_name_that_does_not_tell_needs_a_mode(name: str) -> None:
    with pytest.raises(DataError, match="pass mode='max' or mode='min'"):
        direction(name, "auto")


@pytest.mark.parametrize("mode", ["up", "", None, 1])
def test_other_modes_are_refused(mode: str) -> None:
    with pytest.raises(DataError, match="mode must be 'min', 'max' or 'auto'"):
        direction("eval/acc", mode)
