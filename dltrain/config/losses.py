"""Which loss and which metrics are meant? The short names a person writes, and Keras's own."""

from __future__ import annotations

from dltrain.catalog.rules import number
from dltrain.catalog.suggest import nearest
from dltrain.config.components import check_spec
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.schema import Spec
from dltrain.config.targets import CROSS_ENTROPY
from dltrain.config.wrong_values import add_wrong_value

METRIC_SHORT_NAMES = {"f1": "f1_score", "r2": "r2_score", "rmse": "root_mean_squared_error"}
"""Names of metrics that a config may use besides Keras's own."""

CROSS_ENTROPY_ARGUMENTS = {"label_smoothing": number(at_least=0, below=1)}


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
        rule = CROSS_ENTROPY_ARGUMENTS.get(key)
        if rule is None:
            problems.add(
                (*path, key),
                f"cross_entropy has no argument '{key}'.",
                hint="It takes label_smoothing.",
                of_key=True,
                expected="an argument of cross_entropy: label_smoothing",
                received=f"'{key}'",
                suggestion=nearest(key, ("label_smoothing",)),
            )
        elif not rule.accepts(value):
            add_wrong_value((*path, key), value, rule.expected, problems)
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
