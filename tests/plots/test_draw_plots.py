"""Does each picture hold what it says? PNG and SVG are read back, numbers held against sklearn."""

from __future__ import annotations

import math
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_runs import (
    encode_picture,
    make_history,
    make_predictions,
    make_regression,
    read_png,
    read_svg,
    write_run,
)
from sklearn.metrics import average_precision_score, roc_auc_score

from dltrain.errors import MachineError, UsageError
from dltrain.plots.draw import FORMATS, PLOTS, draw_plots
from dltrain.runs.contents import RunContents

CLASSIFIER = ("curves", "confusion", "roc", "precision_recall", "reliability", "mistakes")


def picture(name: str = "a", confidence: float = 0.98765) -> dict[str, Any]:
    return {
        "id": "test/17",
        "true": name,
        "predicted": "b",
        "confidence": confidence,
        "image": encode_picture(),
    }


def draw(contents: RunContents, **options: Any) -> dict[str, str]:
    """Draw a run; return name → reason of what wasn't drawn, and read all that was."""
    plots = draw_plots(contents, **options)
    for drawn in plots.drawn:
        for file in drawn.files:
            read_png(file) if file.suffix == ".png" else read_svg(file)
    assert not list(contents.paths.plots.glob(".*")), "nothing half-written is left"
    return {skipped.name: skipped.reason for skipped in plots.skipped}


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_a_classifier_has_its_six_pictures_in_both_formats(tmp_path: Path, classes: int) -> None:
    predictions = make_predictions(classes, 400)
    contents = write_run(tmp_path / "run" / "0001", predictions, mistakes=[picture()] * 3)
    skipped = draw(contents)
    assert sorted(skipped) == ["predicted", "residuals"]
    files = {file.name for file in contents.paths.plots.iterdir()}
    assert files == {f"{name}.{form}" for name in CLASSIFIER for form in FORMATS}
    for name in CLASSIFIER:
        assert any("run/0001" in text for text in read_svg(contents.paths.plots / f"{name}.svg"))


def test_areas_in_the_legends_are_those_of_scikit_learn(tmp_path: Path) -> None:
    predictions = make_predictions(4, 500, names=("cat", "dog", "$x^2$", "<b>&"))
    contents = write_run(tmp_path / "run", predictions)
    draw(contents, only=("roc", "precision_recall"))
    probabilities = predictions.probabilities
    assert probabilities is not None
    for name, score in (("roc", roc_auc_score), ("precision_recall", average_precision_score)):
        texts = read_svg(contents.paths.plots / f"{name}.svg")
        values = [score(predictions.true == each, probabilities[:, each]) for each in range(4)]
        for label, value in zip(predictions.class_names, values, strict=True):
            assert any(re.fullmatch(rf"{re.escape(label)}\s+{value:.4f}", text) for text in texts)
        macro = rf"macro average\s+{np.mean(values):.4f}"
        assert any(re.fullmatch(macro, text) for text in texts)


def test_two_classes_have_the_curve_of_the_positive_one(tmp_path: Path) -> None:
    predictions = make_predictions(2, 300, names=("bad", "good"))
    contents = write_run(tmp_path / "run", predictions)
    draw(contents)
    assert predictions.probabilities is not None
    auc = roc_auc_score(predictions.true, predictions.probabilities[:, 1])
    texts = read_svg(contents.paths.plots / "roc.svg")
    assert any(re.fullmatch(rf"good\s+{auc:.4f}", text) for text in texts)
    assert any("positive class: good" in text for text in texts)
    assert not any("macro" in text for text in texts)


def test_of_many_classes_the_worst_and_best_have_lines_and_the_picture_says_so(
    tmp_path: Path,
) -> None:
    predictions = make_predictions(30, 2_000)
    contents = write_run(tmp_path / "run", predictions)
    draw(contents, only=("roc",))
    texts = read_svg(contents.paths.plots / "roc.svg")
    assert any("the 5 worst and 3 best of 30 classes" in text for text in texts)
    assert predictions.probabilities is not None
    aucs = sorted(
        roc_auc_score(predictions.true == each, predictions.probabilities[:, each])
        for each in range(30)
    )
    shown = [float(text.split()[-1]) for text in texts if re.match(r"class \d+\s+0\.", text)]
    assert shown == pytest.approx([*aucs[:5], *aucs[-3:]], abs=5e-5)


def test_the_confusion_matrix_has_counts_and_shares_of_the_row(tmp_path: Path) -> None:
    predictions = make_predictions(3, 200)
    contents = write_run(tmp_path / "run", predictions)
    draw(contents, only=("confusion",))
    joined = " ".join(read_svg(contents.paths.plots / "confusion.svg"))
    for row in range(3):
        support = int((predictions.true == row).sum())
        for column in range(3):
            count = int(((predictions.true == row) & (predictions.predicted == column)).sum())
            assert f"{count}{count / support:.1%}" in joined.replace(" ", "")


def test_a_hundred_classes_have_no_numbers_but_their_most_frequent_confusions(
    tmp_path: Path,
) -> None:
    predictions = make_predictions(100, 3_000)
    contents = write_run(tmp_path / "run", predictions)
    draw(contents, only=("confusion",))
    texts = read_svg(contents.paths.plots / "confusion.svg")
    assert len(texts) < 200
    assert "class 0" in texts
    assert "class 1" not in texts
    cells = predictions.true * 100 + predictions.predicted
    counts = np.bincount(cells[predictions.true != predictions.predicted], minlength=10_000)
    true, predicted = divmod(int(counts.argmax()), 100)
    assert f"class {true} → class {predicted}" in re.sub(r"\s+", " ", " ".join(texts))


def test_a_class_without_rows_is_named_and_has_no_curve(tmp_path: Path) -> None:
    predictions = make_predictions(3, 100, names=("cat", "dog", "owl"), without=(1,))
    contents = write_run(tmp_path / "run", predictions)
    plots = draw_plots(contents, only=("confusion", "roc", "precision_recall"))
    assert plots.remarks == (
        "confusion: 1 of 3 classes have no rows in test (dog): their rows are left grey.",
        "roc: 1 of 3 classes have no rows in test (dog): their AUC is undefined.",
        "precision_recall: 1 of 3 classes have no rows in test (dog): their average precision is "
        "undefined.",
    )
    assert "dog (no rows)" in read_svg(contents.paths.plots / "confusion.svg")
    assert not any(t.startswith("dog") for t in read_svg(contents.paths.plots / "roc.svg"))


def test_rows_of_one_class_alone_have_no_roc_curve(tmp_path: Path) -> None:
    contents = write_run(tmp_path / "run", make_predictions(2, 50, without=(1,)))
    skipped = draw(contents)
    assert skipped["roc"] == (
        "The area under the ROC curve is undefined: all rows of test are of one class."
    )
    assert skipped["precision_recall"] == (
        "The precision-recall curve is undefined: the positive class has no rows in test."
    )


def test_without_predictions_the_confusion_matrix_and_the_curves_are_still_drawn(
    tmp_path: Path,
) -> None:
    contents = write_run(tmp_path / "run", make_predictions(3, 50), mistakes=[picture()])
    contents.paths.predictions.unlink()
    skipped = draw(contents)
    assert skipped["roc"] == f"{contents.paths.predictions} is missing."
    assert skipped["reliability"] == skipped["roc"]
    drawn = {file.stem for file in contents.paths.plots.iterdir()}
    assert drawn == {"curves", "confusion", "mistakes"}


def test_an_empty_directory_has_a_reason_for_each_picture(tmp_path: Path) -> None:
    contents = write_run(tmp_path / "run", make_predictions(3, 50))
    for file in contents.paths.root.iterdir():
        file.unlink()
    skipped = draw(contents)
    assert set(skipped) == set(PLOTS)
    assert skipped["curves"] == f"{contents.paths.history} has no epoch."
    assert skipped["mistakes"].startswith(f"{contents.paths.mistakes} is missing")


def test_a_picture_of_before_is_removed_when_it_can_not_be_drawn_again(tmp_path: Path) -> None:
    contents = write_run(tmp_path / "run", make_predictions(3, 50))
    draw(contents)
    assert (contents.paths.plots / "roc.png").exists()
    contents.paths.predictions.unlink()
    draw(RunContents(contents.paths))
    assert not (contents.paths.plots / "roc.png").exists()


@pytest.mark.parametrize("epochs", [1, 3, 200])
def test_curves_mark_the_best_epoch_and_name_both_lines(tmp_path: Path, epochs: int) -> None:
    best = min(2, epochs)
    contents = write_run(
        tmp_path / "run",
        make_predictions(3, 50),
        history=make_history(epochs),
        best_epoch=best,
    )
    draw(contents, only=("curves",))
    texts = read_svg(contents.paths.plots / "curves.svg")
    assert texts.count("training") == texts.count("validation") == 2
    assert texts.count(f"best epoch {best}") == 3
    accuracy = 1 - 0.6 / best
    assert any(re.fullmatch(rf"accuracy\s+{accuracy:.4f} at epoch {best}", t) for t in texts)
    assert "learning rate" in texts


def test_a_metric_that_is_not_finite_is_a_gap_that_is_named(tmp_path: Path) -> None:
    history = make_history(4)
    history[1]["val_loss"] = math.nan
    for row in history:
        row["val_accuracy"] = row["accuracy"] = math.inf
    contents = write_run(tmp_path / "run", make_predictions(3, 50), history=history)
    draw(contents, only=("curves",))
    texts = read_svg(contents.paths.plots / "curves.svg")
    assert "no finite value in epoch 2" in texts
    assert "no finite value" in texts


def test_a_regression_has_its_pictures_and_its_numbers(tmp_path: Path) -> None:
    predictions = make_regression(3_000)
    mistake = {
        "id": "test/3",
        "true": 1.0,
        "predicted": 5.25,
        "error": 4.25,
        "features": [["height <m>", 1.85], ["$weight$", 80.0]],
    }
    contents = write_run(tmp_path / "run", predictions, mistakes=[mistake], modality="tabular")
    skipped = draw(contents)
    assert skipped["roc"] == "A regression has no ROC curve."
    plots = contents.paths.plots
    residuals = predictions.predicted - predictions.true
    assert any(f"mean {residuals.mean():.4g}" in t for t in read_svg(plots / "residuals.svg"))
    assert any("R² 0." in text for text in read_svg(plots / "predicted.svg"))
    texts = read_svg(plots / "mistakes.svg")
    assert {"height <m>", "$weight$", "1.85", "5.25", "4.25"} <= set(texts)


def test_mistakes_show_true_and_predicted_class_and_never_round_up_to_certain(
    tmp_path: Path,
) -> None:
    mistakes = [picture(name="a", confidence=0.99999)]
    contents = write_run(tmp_path / "run", make_predictions(3, 50), mistakes=mistakes)
    draw(contents, only=("mistakes",))
    texts = read_svg(contents.paths.plots / "mistakes.svg")
    assert "true a" in texts
    assert "predicted b (99.9%)" in texts


def test_texts_are_wrapped_and_nothing_in_them_is_taken_for_markup(tmp_path: Path) -> None:
    text = "<script>alert(1)</script> $x_1$ \x00 \x1b[31m " + "word " * 300 + "W" * 400
    mistake = {
        "id": "test/1",
        "true": "neg",
        "predicted": "pos",
        "confidence": 0.9,
        "text": text,
    }
    contents = write_run(
        tmp_path / "run", make_predictions(2, 50), mistakes=[mistake], modality="text"
    )
    draw(contents, only=("mistakes",))
    texts = read_svg(contents.paths.plots / "mistakes.svg")
    body = [each for each in texts if "word" in each]
    assert body[0].startswith(r"<script>alert(1)</script> $x_1$ \x00 \x1b[31m word")
    assert len(body) <= 4
    assert body[-1].endswith("…")


def test_damaged_mistakes_are_a_reason_and_no_traceback(tmp_path: Path) -> None:
    broken = {**picture(), "image": "no base64!"}
    contents = write_run(tmp_path / "run", make_predictions(3, 50), mistakes=[broken])
    reason = draw(contents)["mistakes"]
    assert reason.startswith(f"{contents.paths.mistakes} is damaged: ")


def test_long_names_of_classes_do_not_push_the_picture_out(tmp_path: Path) -> None:
    names = tuple(f"a class of {'very ' * 20}long name {n}" for n in range(10))
    contents = write_run(tmp_path / "run", make_predictions(10, 300, names=names))
    draw(contents)
    texts = read_svg(contents.paths.plots / "roc.svg")
    assert any(re.match(r"a class of ve….*long name \d\s+0\.\d{4}", text) for text in texts)


def test_the_same_run_gives_the_same_bytes_and_leaves_matplotlib_as_it_was(
    tmp_path: Path,
) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    contents = write_run(tmp_path / "run", make_predictions(3, 50))
    first, second = tmp_path / "first", tmp_path / "second"
    threads = [
        threading.Thread(target=draw_plots, args=(contents,), kwargs={"folder": folder})
        for folder in (first, second)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {file.name: file.read_bytes() for file in first.iterdir()} == {
        file.name: file.read_bytes() for file in second.iterdir()
    }
    assert len(list(first.iterdir())) == 10
    assert dict(mpl.rcParams) == before


def test_an_unknown_picture_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    contents = write_run(tmp_path / "run", make_predictions(3, 50))
    with pytest.raises(UsageError) as caught:
        draw_plots(contents, only=("confusio",))
    assert caught.value.message == "--only: there is no picture 'confusio'."
    assert caught.value.hint.startswith("Did you mean 'confusion'? The pictures are: curves, ")


def test_plots_that_is_a_file_is_said_to_be_one(tmp_path: Path) -> None:
    contents = write_run(tmp_path / "run", make_predictions(3, 50))
    contents.paths.plots.write_text("")
    with pytest.raises(MachineError, match="is not a directory"):
        draw_plots(contents)
