"""What does `dltrain explain` do? A finished run's model, asked for its reasons row by row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dltrain.config.load import LoadedConfig
from dltrain.data.members import digest_of
from dltrain.errors import RunError
from dltrain.evaluation.predict import Predictor
from dltrain.evaluation.saved_model import load_saved_model
from dltrain.evaluation.score import predict_split
from dltrain.explanation.arrays import write_arrays
from dltrain.explanation.choose import choose_rows, find_rows
from dltrain.explanation.explained import Explanations
from dltrain.explanation.opened import Opened
from dltrain.explanation.request import METHODS, Request, check_request
from dltrain.explanation.scores import make_scorer
from dltrain.runs.atomic import write_json
from dltrain.runs.layout import RunPaths
from dltrain.runs.repeats import refuse_repeats
from dltrain.training.engine import Device, begin_import, start_engine, without_chatter
from dltrain.training.evaluate import check_finished, read_run_data
from dltrain.training.listener import Listener
from dltrain.training.prepare import resolve_built_targets
from dltrain.training.recorded_predictions import are_rows_of, read_recorded
from dltrain.training.resume import read_run_config

# Right ones, and the worst mistakes, that are explained where no rows are named.
_ROWS = {"image": (4, 4), "text": (2, 3), "tabular": (2, 2)}


def explain_run(
    paths: RunPaths,
    request: Request,
    *,
    data_dir: Path,
    offline: bool = False,
    device: Device = "auto",
    listener: Listener | None = None,
) -> tuple[Explanations, list[Path]]:
    """Explain rows of a run, and write explanations.json, its arrays and pictures to explanations/.

    What an earlier call wrote there is replaced. Returns what was found and the files written.
    Raises RunError if the run never finished or is damaged, DataError if its data is gone or not
    the same, UsageError for what this run can't answer, MachineError if the disk is full.
    """
    from dltrain.explanation.draw import draw_pictures, make_folder

    listener = listener or Listener()
    refuse_repeats(paths, doing="explained")
    check_finished(paths)
    loaded = read_run_config(paths)
    check_request(request, loaded.info)
    methods = request.methods or METHODS[loaded.info.modality]
    if "shap" in request.methods:
        from dltrain.explanation.shapley import check_shap

        check_shap()
    begin_import(device=device)
    opened = _open_run(paths, loaded, request, data_dir, offline, device, listener)
    with without_chatter():
        explanations = _explain(opened, request, methods, listener)
    folder = make_folder(paths)
    pictures, files = draw_pictures(explanations, folder)
    arrays = write_arrays(explanations, folder)
    write_json(paths.explanations, explanations.to_record(pictures, arrays=arrays.name))
    return explanations, [*files, arrays, paths.explanations]


def _open_run(
    paths: RunPaths,
    loaded: LoadedConfig,
    request: Request,
    data_dir: Path,
    offline: bool,
    device: Device,
    listener: Listener,
) -> Opened:
    # Of images the training rows tell how bright a pixel may be; of tables they are SHAP's
    # background.
    splits = {request.split} if loaded.info.modality == "text" else {request.split, "train"}
    data = read_run_data(loaded, paths, splits, data_dir, offline, listener)
    if request.split not in data.tables:
        raise RunError(
            f"{paths.root} has no {request.split} rows: dataset.{request.split}_split is 0.",
            hint="Take another --split.",
        )
    training = loaded.config.training
    start_engine(device=device, precision=training.precision, seed=loaded.config.seed)
    model = load_saved_model(paths.model)
    targets = resolve_built_targets(loaded, units=int(model.output_shape[-1]))
    predict = Predictor(model)
    digest = digest_of(paths.model, "sha256")
    recorded = read_recorded(paths, (request.split,))
    own_sources = {request.split: data.sources[request.split]}
    if recorded is not None and are_rows_of(recorded, own_sources):
        predictions = recorded[request.split]
    else:
        listener.note(f"Predicting the {request.split} rows.")
        with without_chatter():
            predictions = predict_split(
                predict,
                data.tables[request.split],
                targets=targets,
                class_names=data.info.class_names,
                ids=data.sources[request.split].ids(),
                model=digest,
            )
    if request.rows:
        rows = find_rows(request.rows, predictions, split=request.split)
    else:
        right, wrong = _ROWS[data.info.modality]
        rows = choose_rows(predictions, right=right, wrong=wrong)
    scorer = make_scorer(model, targets)
    return Opened(paths, loaded, data, scorer, targets, predict, predictions, rows, digest)


def _explain(
    opened: Opened, request: Request, methods: Sequence[str], listener: Listener
) -> Explanations:
    """Return the explanations by the methods for the run's kind of data."""
    modality = opened.data.info.modality
    if modality == "image":
        from dltrain.explanation.of_images import explain_image_rows

        return explain_image_rows(opened, request, methods, listener)
    if modality == "text":
        from dltrain.explanation.of_texts import explain_text_rows

        return explain_text_rows(opened, request, methods, listener)
    from dltrain.explanation.of_tables import explain_table

    return explain_table(opened, request, methods, listener)
