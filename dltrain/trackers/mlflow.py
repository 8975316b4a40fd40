"""How is a run recorded in MLflow? Over its client: a tracking server, or a database beside us."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dltrain
from dltrain.trackers.contract import Ending, Epoch, TrackedRun, Tracker
from dltrain.trackers.flatten import flatten_config, flatten_scores

_STATUSES = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}

# Said once in the environment, where MLflow reads it at each request. Its own defaults are 120 s
# and 7 tries with growing pauses; and it reports on its use, and prints to stdout.
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
# What MLflow itself takes where nothing is said: a database in the current folder.
_DEFAULT_URI = "sqlite:///mlflow.db"
_SQLITE = "sqlite:///"
_PASSWORD = re.compile(r"//[^/@]*@")
# What MLflow takes in one request; its client cuts longer lists.
_MOST_METRICS = 1000
# Every epoch has it, whatever the metrics are.
_ALWAYS_LOGGED = "seconds"


class MLflowTracker(Tracker):
    """Record params, a metric's value a step (the epoch), files, and the model in the registry."""

    name = "mlflow"

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._client: Any = None
        self._uri = ""
        self._run_id = ""
        self._last_step = 0

    def begin(self, run: TrackedRun) -> None:
        """Make the run, or open the one in memory; see which epochs it has."""
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        import mlflow

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._uri = self._choose_uri()
        client = mlflow.MlflowClient(tracking_uri=self._uri)
        if "run_id" not in self.memory:
            self.memory["run_id"] = self._create_run(client, run)
        self._run_id = self.memory["run_id"]
        client.update_run(self._run_id, status="RUNNING")
        self._log_params(client, run)
        history = client.get_metric_history(self._run_id, _ALWAYS_LOGGED)
        self._last_step = max((metric.step for metric in history), default=0)
        self.where = f"{self.memory['uri']}, run {self._run_id}"
        self._client = client

    def _choose_uri(self) -> str:
        """Return where the run is kept; another place than before means another run."""
        asked = self.options.get("tracking_uri") or os.environ.get("MLFLOW_TRACKING_URI")
        place = _PASSWORD.sub("//", asked) if asked else None
        if self.memory.get("asked_uri", place) != place:
            self.memory.clear()
        if "uri" not in self.memory:
            uri = place or _DEFAULT_URI
            if uri.startswith(_SQLITE):
                # The run may go on from another folder.
                uri = f"{_SQLITE}{Path(uri.removeprefix(_SQLITE)).absolute()}"
            self.memory |= {"asked_uri": place, "uri": uri}
        uri = str(self.memory["uri"])
        # A password is in the environment only, never in the run.
        return asked if asked and not uri.startswith(_SQLITE) else uri

    def _create_run(self, client: Any, run: TrackedRun) -> str:
        default = os.environ.get("MLFLOW_EXPERIMENT_NAME") or run.name
        name = self.options.get("experiment_name") or default
        experiment = client.get_experiment_by_name(name)
        experiment_id = experiment.experiment_id if experiment else client.create_experiment(name)
        tags = {
            "mlflow.source.type": "LOCAL",
            "mlflow.source.name": "dltrain",
            "dltrain.version": dltrain.__version__,
            "dltrain.device": run.device,
            "dltrain.run_directory": str(run.paths.root.absolute()),
        }
        created = client.create_run(experiment_id, run_name=run.label, tags=tags)
        return str(created.info.run_id)

    def _log_params(self, client: Any, run: TrackedRun) -> None:
        """Log what isn't there: a param can't be changed, and epochs may when a run goes on."""
        from mlflow.entities import Param

        there = client.get_run(self._run_id).data.params
        values = flatten_config(run.config)
        new = [Param(name, str(value)) for name, value in values.items() if name not in there]
        client.log_batch(self._run_id, params=new)

    def log_epochs(self, epochs: Sequence[Epoch]) -> None:
        """Log the numbers of the epochs that the run doesn't have, many in one request."""
        new = [epoch for epoch in epochs if epoch.number > self._last_step]
        while new:
            self.memory.pop("version", None)
            # A request that is taken in part would leave half an epoch.
            together, new = new[:1], new[1:]
            count = len(together[0].values)
            while new and count + len(new[0].values) <= _MOST_METRICS:
                count += len(new[0].values)
                together.append(new.pop(0))
            metrics = [metric for each in together for metric in _make_metrics(each)]
            self._client.log_batch(self._run_id, metrics=metrics)
            self._last_step = self.memory["epoch"] = together[-1].number

    def finish(self, ending: Ending) -> None:
        """Log scores and files, register the model, end the run."""
        client = self._client
        step = self._last_step
        scores = flatten_scores(ending.splits)
        if scores and not self._has(next(iter(scores)), step):
            metrics = _make_metrics(Epoch(step, scores, time=ending.time))
            client.log_batch(self._run_id, metrics=metrics)
        for path in ending.files:
            inner = path.parent.relative_to(ending.root)
            client.log_artifact(self._run_id, str(path), str(inner) if inner.parts else None)
        name = self.options.get("registered_model_name")
        if ending.state == "finished" and name and "version" not in self.memory:
            self.memory["version"] = self._register(ending.root / "model.keras", name, step)
        client.set_terminated(self._run_id, _STATUSES[ending.state], int(ending.time * 1000))

    def explain(self, error: Exception) -> str:
        """Return what is wrong with the connection, of which MLflow tells at great length."""
        deepest: BaseException = error
        while deepest.__cause__ or deepest.__context__:
            deepest = deepest.__cause__ or deepest.__context__ or deepest
        if isinstance(deepest, OSError) and "://" in self.memory.get("uri", ""):
            return f"{self.memory['uri']} can't be reached ({deepest})"
        return ""

    def _has(self, name: str, step: int) -> bool:
        """Tell whether a metric has a value for the step, from a call that failed afterwards."""
        history = self._client.get_metric_history(self._run_id, name)
        return any(metric.step == step for metric in history)

    def _register(self, path: Path, name: str, step: int) -> str:
        """Log the model in MLflow's own form, and make it a version of `name`; return which."""
        import keras
        import mlflow.keras
        from mlflow.exceptions import MlflowException
        from mlflow.models import Model

        from dltrain.evaluation.saved_model import load_saved_model

        model = load_saved_model(path)
        # The model gets the experiment of the run that is active in this thread.
        with (
            _default_uri(self._uri),
            mlflow.start_run(run_id=self._run_id, log_system_metrics=False),
        ):
            info = Model.log(
                artifact_path=None,
                name="model",
                flavor=mlflow.keras,
                run_id=self._run_id,
                step=step,
                model=model,
                signature=_make_signature(model),
                # Else MLflow finds them out by loading the model in another process.
                pip_requirements=[f"keras=={keras.__version__}", f"tensorflow=={_version()}"],
            )
        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source, model_id = info.model_uri, info.model_id
        made = self._client.create_model_version(name, source, self._run_id, model_id=model_id)
        return str(made.version)


def _make_metrics(epoch: Epoch) -> list[Any]:
    from mlflow.entities import Metric

    at = int(epoch.time * 1000)
    return [
        Metric(name, value, at, epoch.number)
        for name, value in epoch.values.items()
        if name != "epoch"
    ]


@contextmanager
def _default_uri(uri: str) -> Iterator[None]:
    """Let functions that take no client work at `uri`. MLflow keeps it in the environment."""
    import mlflow

    before = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


def _make_signature(model: Any) -> Any:
    """Return the shapes and types that the model takes and gives, the first axis being the rows."""
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    def describe(tensor: Any) -> Any:
        shape = tuple(-1 if size is None else size for size in tensor.shape)
        return Schema([TensorSpec(np.dtype(tensor.dtype), shape)])

    return ModelSignature(describe(model.inputs[0]), describe(model.outputs[0]))


def _version() -> str:
    import tensorflow as tf

    return str(tf.__version__)
