"""Which trackers may a config name, and with which options? Each is a section of its own."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.reading import describe
from dltrain.config.schema import Section, Spec
from dltrain.config.validation import add_validation_errors

Text = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]

_TIMEOUT = "Seconds that the end of a run waits for the tracker to take what is left."
_LOG_MODEL = "Whether model.keras is among the files that are uploaded at the end."


class TensorBoardTracker(Section):
    """Event files in RUN/tensorboard/, which `tensorboard --logdir` shows."""

    type: Literal["tensorboard"]
    histogram_freq: Annotated[int, Field(ge=0)] = Field(
        1, description="TensorBoard: epochs between histograms of the weights; 0: none."
    )
    timeout_seconds: Seconds = Field(60.0, description=_TIMEOUT)


class MLflowTracker(Section):
    """A run in an MLflow tracking server, or in a database on this machine."""

    type: Literal["mlflow"]
    tracking_uri: Text | None = Field(
        None, description="MLflow: the server, https://HOST, or a database, sqlite:///PATH."
    )
    experiment_name: Text | None = Field(
        None, description="MLflow: the experiment that the run belongs to."
    )
    registered_model_name: Text | None = Field(
        None, description="MLflow: the best model becomes a new version of this registered model."
    )
    log_model: bool = Field(True, description=_LOG_MODEL)
    timeout_seconds: Seconds = Field(60.0, description=_TIMEOUT)


class WandbTracker(Section):
    """A run in Weights & Biases; its files lie in RUN/wandb/."""

    type: Literal["wandb"]
    project: Text | None = Field(None, description="W&B: the project that the run belongs to.")
    entity: Text | None = Field(None, description="W&B: the user or team that owns the project.")
    mode: Literal["online", "offline"] | None = Field(
        None,
        description="W&B: online uploads while the run trains; offline keeps all in RUN/wandb/, "
        "for `wandb sync`.",
    )
    group: Text | None = Field(None, description="W&B: a name that puts runs together.")
    tags: list[str] = Field(default_factory=list, description="W&B: labels of the run.")
    log_model: bool = Field(True, description=_LOG_MODEL)
    timeout_seconds: Seconds = Field(60.0, description=_TIMEOUT)


TRACKERS: dict[str, type[Section]] = {
    "tensorboard": TensorBoardTracker,
    "mlflow": MLflowTracker,
    "wandb": WandbTracker,
}

# Where a key would be that people look for in a file, and where the tools take it from.
_SECRETS = {
    "wandb": ("api_key", "WANDB_API_KEY, or `wandb login`"),
    "mlflow": ("password", "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
}
_SECRET_KEYS = ("api_key", "key", "token", "password", "username")
# Any scheme but `file`, which is no store any more; no user:password@ before the host.
URI_PATTERN = (
    r"^(?![Ff][Ii][Ll][Ee]:)(?!.*//[^/@]*:[^/@]+@)([A-Za-z][A-Za-z0-9+.-]*://.+|databricks)$"
)
"""What `tracking_uri` must match, for JSON Schema as for `check`."""
_PASSWORD = re.compile(r"//[^/@]*:[^/@]+@")


def check_trackers(raw: list[Any], problems: Problems) -> list[Spec]:
    """Return the trackers that are right, each `{"type": name, **options}`, defaults written out.

    An option without a value is left out. Every mistake is added to `problems`.
    """
    found: list[Spec] = []
    for index, item in enumerate(raw):
        path: Path = ("trackers", index)
        spec = _check_tracker(item, path, problems)
        if spec is None:
            continue
        if any(spec["type"] == other["type"] for other in found):
            problems.add(
                path,
                f"{spec['type']} stands twice among the trackers.",
                hint="Leave one of them out.",
                expected="each tracker once",
                received=f"a second {spec['type']}",
            )
        found.append(spec)
    return found


def _check_tracker(raw: object, path: Path, problems: Problems) -> Spec | None:
    if isinstance(raw, str):
        name, at = raw, path
    elif isinstance(raw, dict) and isinstance(raw.get("type"), str):
        name, at = raw["type"], (*path, "type")
    elif isinstance(raw, dict) and "type" in raw:
        received = describe(raw["type"])
        problems.add((*path, "type"), expected="the name of a tracker", received=received)
        return None
    elif isinstance(raw, dict):
        near = nearest("type", raw)
        problems.add(
            path,
            "a tracker needs `type:`, the name of one" + (f"; '{near}' is there." if near else "."),
            hint=f"One of {', '.join(TRACKERS)}.",
            expected="type:",
            received=f"'{near}'" if near else "none",
            suggestion="type" if near else None,
        )
        return None
    else:
        expected = "a tracker by name or a mapping with type:"
        problems.add(path, expected=expected, received=describe(raw))
        return None
    if name not in TRACKERS:
        problems.add(
            at,
            f"there is no tracker '{name}'.",
            hint=f"There are {', '.join(TRACKERS)}.",
            expected=f"one of {', '.join(TRACKERS)}",
            received=f"'{name}'",
            suggestion=nearest(name, TRACKERS),
        )
        return None
    options = {"type": name} if isinstance(raw, str) else raw
    return _check_options(name, dict(options), path, problems)


def _check_options(name: str, options: Spec, path: Path, problems: Problems) -> Spec | None:
    before = len(problems)
    secret, variables = _SECRETS.get(name, ("", ""))
    for key in _SECRET_KEYS if secret else ():
        if key in options:
            _refuse_secret(name, (*path, key), variables, problems, of_key=True)
            del options[key]
    try:
        section = TRACKERS[name].model_validate(options)
    except ValidationError as error:
        add_validation_errors(error, TRACKERS[name], problems, below=path, called=name)
        return None
    if isinstance(section, MLflowTracker) and section.tracking_uri is not None:
        _check_uri(section.tracking_uri, (*path, "tracking_uri"), problems)
    return section.model_dump(mode="python", exclude_none=True) if len(problems) == before else None


def _check_uri(uri: str, path: Path, problems: Problems) -> None:
    if _PASSWORD.search(uri):
        _refuse_secret("mlflow", path, _SECRETS["mlflow"][1], problems)
        return
    if re.match(URI_PATTERN, uri) is None:
        problems.add(
            path,
            "MLflow keeps runs in a server or a database, no longer in a folder of files.",
            hint="For example http://127.0.0.1:5000, or sqlite:///mlflow.db.",
            expected="http://HOST, https://HOST or sqlite:///PATH",
            received=f"'{uri}'",
        )


def _refuse_secret(
    name: str, path: Path, variables: str, problems: Problems, *, of_key: bool = False
) -> None:
    # What was received is a secret: it isn't repeated.
    problems.add(
        path,
        f"a config holds no secret; {name} takes it from the environment.",
        hint=f"Use {variables}.",
        of_key=of_key,
        expected="no secret",
        received="one",
    )
