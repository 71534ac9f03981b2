"""The verbs of `vizkit.Tracker` that compare what a network says with what is right."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from vizkit._checks import checked_class_names, whole_number
from vizkit._protocols import ArrayLike, StepLike, WalltimeLike
from vizkit.metrics.activation import Activation
from vizkit.metrics.evaluation_scores import LIMIT
from vizkit.metrics.quantiles import Quantiles
from vizkit.tracking.paddle_verbs import PaddleVerbs
from vizkit.tracking.wrong_calls import check_names, check_text
from vizkit.writing.evaluation import MAX_CURVE_CLASSES
from vizkit.writing.evaluation_collector import Evaluation
from vizkit.writing.tasks.batch_forms import with_sample_axis
from vizkit.writing.tasks.choice import check_task, new_task
from vizkit.writing.tasks.known_batch import known_or_classes, numbered
from vizkit.writing.tasks.sample_rows import checked_slices, row_limit
from vizkit.writing.tasks.several_outputs import evaluated_output
from vizkit.writing.tasks.task import NOTHING_TOLD, EvaluationTask, LabelledBatch, TaskName, TaskOptions

__all__ = ["EvaluationVerbs"]


class EvaluationVerbs(PaddleVerbs):
    """The verbs of a tracker that take labels and predictions; a Paddle loss may tell how to read them."""

    def log_pr_curve(
        self,
        tag: str,
        labels: ArrayLike,
        predictions: ArrayLike,
        step: StepLike | None = None,
        num_thresholds: int = 127,
        weights: ArrayLike | None = None,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record a precision-recall curve; arguments as in `LogWriter.add_pr_curve`."""
        add = partial(
            self._writer.add_pr_curve,
            labels=labels,
            predictions=predictions,
            num_thresholds=num_thresholds,
            weights=weights,
            walltime=walltime,
        )
        self._record("pr_curve", tag, step, add)

    def log_roc_curve(
        self,
        tag: str,
        labels: ArrayLike,
        predictions: ArrayLike,
        step: StepLike | None = None,
        num_thresholds: int = 127,
        weights: ArrayLike | None = None,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record a receiver operating characteristic; arguments as in `LogWriter.add_pr_curve`."""
        add = partial(
            self._writer.add_roc_curve,
            labels=labels,
            predictions=predictions,
            num_thresholds=num_thresholds,
            weights=weights,
            walltime=walltime,
        )
        self._record("roc_curve", tag, step, add)

    def log_curves(
        self,
        tag: str,
        labels: ArrayLike,
        predictions: ArrayLike,
        step: StepLike | None = None,
        num_thresholds: int = 127,
        weights: ArrayLike | None = None,
        walltime: WalltimeLike | None = None,
        *,
        class_names: Sequence[str] | None = None,
        activation: Literal["sigmoid", "softmax"] | None = None,
    ) -> None:
        """Record PR and ROC curves, AP and AUC of every class; see `LogWriter.add_class_curves`."""
        if activation is not None:
            check_text("activation", activation)
        check_names("class_names", class_names)
        add = partial(
            self._writer.add_class_curves,
            labels=labels,
            predictions=predictions,
            num_thresholds=num_thresholds,
            weights=weights,
            walltime=walltime,
            class_names=class_names,
            activation=activation,
        )
        self._record("curves", tag, step, add)

    def log_confusion_matrix(
        self,
        tag: str,
        labels: ArrayLike,
        predictions: ArrayLike,
        step: StepLike | None = None,
        *,
        class_names: Sequence[str] | None = None,
    ) -> None:
        """Record a confusion matrix; arguments as in `LogWriter.add_confusion_matrix`."""
        check_names("class_names", class_names)
        add = partial(
            self._writer.add_confusion_matrix, labels=labels, predictions=predictions, class_names=class_names
        )
        self._record("image", tag, step, add)

    def evaluation(
        self,
        tag: str = "eval",
        *,
        task: TaskName | None = None,
        loss: object = None,
        activation: Activation | None = "auto",
        classes: int | None = None,
        class_names: Sequence[str] | None = None,
        ignore_index: int | None = None,
        quantiles: Quantiles | None = None,
        samples: Sequence[int | str] | int = 4,
        worst: int = 4,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        limit: int = LIMIT,
        most_classes: int = MAX_CURVE_CLASSES,
        predictions: bool | int | None = None,
        slices: Mapping[str, Sequence[object] | Mapping[int | str, object]] | None = None,
    ) -> Evaluation:
        """Gather labels and outputs of an evaluation batch by batch, and record what they tell at the end.

        ::

            with tracker.evaluation("eval", loss=loss_function) as evaluation:
                for x, y in loader:
                    evaluation.add(y, net(x), x)

        ====================  ==============================  =======================================
        task                  labels                          outputs
        ====================  ==============================  =======================================
        ``"classification"``  class numbers (n,) or (n, 1),   scores (n, c), or (n,) of one class
                              or 0 and 1 (n, c)
        ``"segmentation"``    class numbers (n, h, w) or      scores (n, c, h, w), or (n, 1, h, w) of
                              (n, 1, h, w); of volumes        one class beside the background; or
                              (n, d, h, w)                    class numbers like the labels
        ``"regression"``      values (n,) or (n, k), or       the same; with ``quantiles`` (n, q) or
                              images (n, c, h, w)             (n, k, q), or means and variances
        ``"labelling"``       class numbers of tokens (n, l)  scores (n, l, c), or class numbers (n, l)
        ``"generation"``      n texts, or n lists of right    n texts, or pairs of a text and its scores;
                              ones; or tokens (n, l) beside   or the scores that the ``loss``, a
                              the scores of a ``CTCLoss``     ``CTCLoss``, takes
        ``"retrieval"``       class numbers (n,)              embeddings (n, d)
        ``"detection"``       of each image a dict of boxes   of each image a dict of boxes, labels and
                              (m, 4: left, top, right,        scores; or PaddleDetection's arrays and
                              bottom in pixels) and labels    batches (``bbox``, ``bbox_num``)
        ====================  ==============================  =======================================

        The modules of `vizkit.writing.tasks`, named after the tasks, list what is recorded.

        What the scores are (logits, probabilities, log-probabilities) and which label does not count is read
        from ``loss``, as far as ``activation`` and ``ignore_index`` do not tell. Where nothing tells, all
        scores of the evaluation do, and the run says so once, as ``eval/scores``.

        Args:
            tag: the beginning of all tags.
            task: what the network is for. By default as the loss and the first batch's shapes tell it: the
                loss of values (``MSELoss``, ``L1Loss``, ``SmoothL1Loss``) has a regression, a map of class
                numbers is a segmentation, sequences of them with the classes last are a labelling, texts
                are generated, dicts are detections; numbers in the shape of the outputs, of a loss that
                does not tell, are a regression where they are not all 0 and 1 (the run says so once, as
                ``eval/task``); all else is a classification.
            loss: the network's loss of Paddle or PaddleSeg, a layer or function.
            activation: the function that makes probabilities of the scores, in float64: "softmax",
                "sigmoid", None, or "auto" for the one of the loss, or else the one that all scores need; see
                `EvaluationScores`.
            classes: how many there are, where outputs are class numbers.
            class_names: names in the order of the class numbers, or of a regression's outputs; by default
                the numbers.
            ignore_index: the label of what does not count, as in Paddle's losses. Of a regression labels that
                are NaN or masked do not count either.
            quantiles: of a regression whose outputs have one axis more: the levels of the quantiles on it,
                such as (0.1, 0.5, 0.9), or "normal" if it has mean and variance (or these come as a pair).
            samples: how many of the first samples to show, or the ids of those to show, if `Evaluation.add`
                is given inputs.
            worst: how many of the worst samples to show, likewise.
            mean: the mean that images were normalised with, for their display: one number or one a channel.
            std: the standard deviation that they were normalised with.
            limit: how many scores (samples times classes) are held, 4 bytes each as float32. Beyond it
                they are counted in at most 64 MiB of bins: curves are exact at their points then, AP
                and AUC within an error that is recorded.
            most_classes: up to how many classes each has records of its own.
            predictions: the samples that ``<tag>/predictions`` has a row of, a table that `Run.predictions`
                reads: True for all (up to 5,000,000), False for none, a number for so many, by default
                10,000. Of more samples those of each label are chosen, the same every time.
            slices: further columns of that table: name -> values by id, as a list or array over the data
                set's indices, or as a dict. `Evaluation.add` takes those of a batch.

        Raises:
            DataError: a bad option. A bad batch is warned about once a tag, and the evaluation is lost; a
                strict tracker raises.
        """
        check_text("tag", tag)
        facts = NOTHING_TOLD if loss is None else self._facts_of(loss)
        facts = replace(facts, ignore_index=facts.ignore_index if ignore_index is None else ignore_index)
        if quantiles is not None and task is None:
            task = "regression"
        options = TaskOptions(
            activation=facts.activation if activation == "auto" else activation,
            classes=None if classes is None else whole_number("classes", classes),
            class_names=checked_class_names(class_names),
            ignore_index=facts.ignore_index,
            class_axis=facts.class_axis,
            quantiles=quantiles,
            ctc=facts.ctc,
            samples=samples,
            worst=worst,
            mean=mean,
            std=std,
            limit=limit,
            most_classes=most_classes,
            predictions=row_limit(predictions),
            slices=checked_slices(slices),
            later=lambda job, size: self._writer.defer(f"{tag}/predictions", job, size),
        )
        check_task(task, options)

        def record(found: EvaluationTask, step: StepLike | None, without: Collection[str], said: str) -> None:
            self._record("evaluation", tag, step, partial(self._writer.add_task, task=found, without=without))
            if said and self._writer.kind_of(f"{tag}/task") is None:  # once a run
                self._record("text", f"{tag}/task", step, partial(self._writer.add_text, text_string=said))

        def known(batch: LabelledBatch, before: TaskName | None) -> tuple[TaskName, LabelledBatch, str]:
            batch = with_sample_axis(batch)
            if task != "detection" and quantiles is None:  # whose outputs may be several
                batch = evaluated_output(batch)
            if task == "classification" or (task is None and facts.task in (None, "classes")):
                batch = numbered(batch, options.class_names)
            return (task, batch, "") if task else known_or_classes(batch, facts, before)

        def begin(name: TaskName) -> EvaluationTask:
            # The label that a loss leaves out by default may be a value of a regression.
            ignored = ignore_index if name == "regression" else options.ignore_index
            return new_task(name, replace(options, ignore_index=ignored))

        return Evaluation(
            tag,
            known,
            begin,
            record=record,
            refuse=lambda error: self._refuse(tag, error),
            enabled=self.enabled,
        )

    def curves(
        self,
        tag: str = "eval",
        *,
        class_names: Sequence[str] | None = None,
        activation: Activation | None = None,
        ignore_index: int | None = None,
        limit: int = LIMIT,
        most_classes: int = MAX_CURVE_CLASSES,
    ) -> Evaluation:
        """Gather labels and scores of a classifier: `evaluation` with ``task="classification"``.

        ::

            with tracker.curves("eval", activation="softmax") as curves:
                for x, y in loader:
                    curves.add(y, net(x))

        Scores are probabilities unless ``activation`` says otherwise. With further axes, such as
        (n, c, h, w) with labels (n, h, w) or (n, 1, h, w), each position is a sample.
        """
        return self.evaluation(
            tag,
            task="classification",
            activation=activation,
            class_names=class_names,
            ignore_index=ignore_index,
            limit=limit,
            most_classes=most_classes,
            predictions=False,
        )
