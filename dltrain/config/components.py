"""Is a named Keras component right? Its type and its arguments, all mistakes at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dltrain.catalog.arguments import (
    activation_layer,
    check_value,
    choices_of,
    nested_kind,
    takes_list,
)
from dltrain.catalog.combinations import check_together
from dltrain.catalog.components import Component, Kind, components, find
from dltrain.catalog.excluded import why_excluded
from dltrain.catalog.suggest import nearest
from dltrain.config.document import Problems
from dltrain.config.paths import Path
from dltrain.config.reading import describe
from dltrain.config.schema import Spec
from dltrain.config.wrong_values import add_wrong_value

KIND_WORDS = {
    "layers": "layer",
    "optimizers": "optimizer",
    "losses": "loss",
    "metrics": "metric",
    "regularizers": "regularizer",
    "constraints": "constraint",
    "initializers": "initializer",
    "activations": "activation",
    "schedules": "learning-rate schedule",
    "callbacks": "callback",
}
"""What one of each kind is called in messages."""


def check_spec(
    kind: Kind,
    raw: object,
    path: Path,
    problems: Problems,
    *,
    ignore: Collection[str] = (),
) -> Spec | None:
    """Return `{"type": name, **arguments}` with Keras's snake_case name, or None after a problem.

    `raw` is a bare name or such a mapping; keys in `ignore` are passed over (`repeat`, say).
    """
    noun = KIND_WORDS[kind]
    if isinstance(raw, str):
        if find(kind, raw) is None:
            _add_unknown_name(kind, raw, path, problems)
            return None
        raw = {"type": raw}
    if not isinstance(raw, dict):
        problems.add(
            path,
            expected=f"{_article(noun)} by name or a mapping with type:",
            received=describe(raw),
        )
        return None
    component = _find_component(kind, raw, path, problems)
    if component is None:
        return None
    before = len(problems)
    spec: Spec = {"type": component.name}
    for name, value in raw.items():
        if name == "type" or name in ignore:
            continue
        spec[name] = _check_argument(component, name, value, (*path, name), problems)
    _check_required(component, spec, path, problems)
    if len(problems) == before:
        for clash in check_together(component, _arguments(spec)):
            where = (*path, clash.argument)
            problems.add(where, expected=clash.expected, received=clash.received)
    return spec if len(problems) == before else None


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def _arguments(spec: Spec) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name != "type"}


def _add_unknown_name(kind: Kind, name: str, path: Path, problems: Problems) -> None:
    """Note a name that the catalog doesn't hold."""
    noun = KIND_WORDS[kind]
    reason = why_excluded(kind, name)
    problems.add(
        path,
        f"{reason}." if reason else f"there is no {noun} '{name}'.",
        expected=f"the name of {_article(noun)}",
        received=f"'{name}'",
        suggestion=None if reason else nearest(name, known_names(kind)),
    )


def known_names(kind: Kind) -> list[str]:
    """Return the names and the short names (`mse`) that a config may use."""
    names = [name for component in components(kind).values() for name in component.aliases]
    return [*components(kind), *(name for name in names if name.islower())]


def _find_component(
    kind: Kind, raw: dict[str, Any], path: Path, problems: Problems
) -> Component | None:
    name = raw.get("type")
    if "type" not in raw:
        near = nearest("type", raw)
        problems.add(
            path,
            f"{_article(KIND_WORDS[kind])} needs `type:`, the name of one"
            + (f"; '{near}' is there." if near else "."),
            expected="type:",
            received=f"'{near}'" if near else "none",
            suggestion="type" if near else None,
        )
        return None
    if not isinstance(name, str):
        problems.add((*path, "type"), expected="a name", received=describe(name))
        return None
    component = find(kind, name)
    if component is None:
        # A bare name was made a mapping by the caller: nobody wrote `type`.
        written = (*path, "type") in problems.document.values
        _add_unknown_name(kind, name, (*path, "type") if written else path, problems)
    return component


def _check_argument(
    component: Component, name: str, value: Any, path: Path, problems: Problems
) -> Any:
    argument = component.arguments.get(name)
    if argument is None:
        names = ", ".join(component.arguments) or "none"
        problems.add(
            path,
            f"{component.name} has no argument '{name}'.",
            hint=f"It takes {names}.",
            of_key=True,
            expected=f"an argument of {component.name}: {names}",
            received=f"'{name}'",
            suggestion=nearest(name, component.arguments),
        )
        return None
    nested = nested_kind(component, name)
    if nested == "schedules" and isinstance(value, str):
        what = "a number > 0 or a schedule with type:"
        add_wrong_value(path, value, what, problems, choices=components("schedules"))
        return None
    if nested is not None and isinstance(value, (str, dict)):
        spec = check_spec(nested, value, path, problems)
        if spec is not None and nested == "activations" and len(spec) > 1:
            _check_activation_arguments(spec, path, problems)
        return spec
    if nested is not None and isinstance(value, list) and takes_list(component, name):
        return [
            check_spec(nested, item, (*path, index), problems) for index, item in enumerate(value)
        ]
    if value is None and not argument.required and argument.default is None:
        return None
    expected = check_value(component, name, value)
    if expected is not None:
        add_wrong_value(path, value, expected, problems, choices=choices_of(component, name))
    return value


def _check_activation_arguments(spec: Spec, path: Path, problems: Problems) -> None:
    if activation_layer(spec["type"]) is None:
        problems.add(
            path,
            f"the activation {spec['type']} takes no arguments here; write its bare name.",
            expected=f"'{spec['type']}'",
            received="a mapping",
        )


def _check_required(component: Component, spec: Spec, path: Path, problems: Problems) -> None:
    # A misspelt argument was told already, with the name that was meant.
    meant = {nearest(name, component.arguments) for name in spec if name not in component.arguments}
    missing = [
        name for name in component.required_arguments if name not in spec and name not in meant
    ]
    if missing:
        names = " and ".join(f"'{name}'" for name in missing)
        problems.add(path, f"{component.name} needs {names}.", expected=names, received="none")
