"""Which loss and which metrics are meant? The short names a person writes, and Keras's own."""

from __future__ import annotations

from dltrain.catalog.suggest import nearest
from dltrain.config.components import check_spec
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.reading import describe
from dltrain.config.schema import Spec
from dltrain.config.targets import CROSS_ENTROPY

METRIC_SHORT_NAMES = {"f1": "f1_score", "r2": "r2_score", "rmse": "root_mean_squared_error"}
"""Names of metrics that a config may use besides Keras's own."""


def check_loss(raw: object, problems: Problems) -> Spec | None:
    """Return the loss as `{"type": name, …}`; the labels decide later what `cross_entropy` is."""
    path: Path = ("loss",)
    spec = {"type": raw} if isinstance(raw, str) else raw
    if not isinstance(spec, dict) or spec.get("type") != CROSS_ENTROPY:
        return check_spec("losses", raw, path, problems)
    before = len(problems)
    for key, value in spec.items():
        if key == "type":
            continue
        if key != "label_smoothing":
            near = nearest(key, ("label_smoothing",))
            problems.add(
                (*path, key),
                f"cross_entropy has no argument '{key}'.",
                hint=f"Did you mean '{near}'?" if near else "It takes label_smoothing.",
                of_key=True,
            )
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
            problems.add(
                (*path, key), f"expected a number >= 0 and < 1, received {describe(value)}."
            )
    return dict(spec) if len(problems) == before else None


def check_metric(raw: object, path: Path, problems: Problems) -> Spec | None:
    """Return the metric as `{"type": Keras's name, "name": as it is reported, …}`."""
    written = raw.get("type") if isinstance(raw, dict) else raw
    full = METRIC_SHORT_NAMES.get(written) if isinstance(written, str) else None
    if full is not None:
        raw = {**raw, "type": full} if isinstance(raw, dict) else full
    spec = check_spec("metrics", raw, path, problems)
    if spec is None:
        return None
    return {**spec, "name": spec.get("name") or str(written)}
