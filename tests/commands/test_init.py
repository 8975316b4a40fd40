"""Does `dltrain init` write configs that pass `check`, and never over a file unasked?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from tiny_runs import Result

from dltrain.config.json_schema import make_json_schema
from dltrain.config.reading import read_text
from dltrain.config.templates import FOLDER, read_templates, template_names

Cli = Callable[..., Result]
ROOT = Path(__file__).parents[2]
NAMES = template_names()


def test_there_are_templates_for_the_usual_works() -> None:
    wanted = {"minimal", "mlp", "cnn", "resnet", "text", "lstm", "transformer", "regression"}
    assert wanted <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_passes_check_without_a_warning(
    dltrain: Cli, workplace: Path, name: str
) -> None:
    written = dltrain("init", name, "--output", "mine.yaml")
    assert written == Result(0, "", "mine.yaml is written. Next: dltrain fit mine.yaml\n")
    checked = dltrain("check", "mine.yaml")
    assert (checked.code, checked.err) == (0, "")
    assert (workplace / "mine.yaml").read_text(encoding="utf-8") == dltrain("init", name).out


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_explained_and_validates(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    line, summary, *rest = text.splitlines()
    found = re.match(r"# yaml-language-server: \$schema=(\S+)$", line)
    assert found is not None
    # Where it stands in the checkout; the package that is tested may be an installed one.
    schema = ROOT / "dltrain" / "templates" / found[1]
    assert schema.resolve() == ROOT / "docs" / "config.schema.json"
    assert re.match(r"# [A-Z].{20,90}[^.]$", summary)
    assert sum("#" in line for line in rest) >= 5
    data = read_text(text, source=name).data
    assert data.get("name", "minimal") == name
    assert list(jsonschema.Draft202012Validator(make_json_schema()).iter_errors(data)) == []


def test_no_template_is_the_usual_one_and_names_no_file_of_the_checkout(dltrain: Cli) -> None:
    result = dltrain("init")
    assert result == dltrain("init", "mlp")
    assert result.out.startswith("# A dense network on handwritten digits")
    assert "$schema" not in result.out


def test_an_unknown_template_suggests_the_nearest(dltrain: Cli) -> None:
    assert dltrain("init", "transfomer") == Result(
        2, "", "error: There is no template 'transfomer'.\nDid you mean 'transformer'?\n"
    )
    result = dltrain("init", "zzz")
    assert result.err == (
        f"error: There is no template 'zzz'.\nThe templates are: {', '.join(NAMES)}.\n"
    )


def test_a_file_that_is_there_stays_unless_forced(dltrain: Cli, workplace: Path) -> None:
    (workplace / "mine.yaml").write_text("precious")
    assert dltrain("init", "--output", "mine.yaml") == Result(
        2, "", "error: --output: mine.yaml is there already.\nAdd --force to overwrite it.\n"
    )
    assert (workplace / "mine.yaml").read_text() == "precious"
    assert dltrain("init", "--output", "mine.yaml", "--force").code == 0
    assert (workplace / "mine.yaml").read_text(encoding="utf-8") == dltrain("init").out


def test_list_shows_every_template_and_what_it_shows(dltrain: Cli) -> None:
    table = dltrain("init", "--list")
    assert (table.code, table.err) == (0, "")
    assert [name for name in NAMES if f"\n {name} " not in table.out] == []
    assert all(len(line) <= 80 for line in table.out.splitlines())
    rows = json.loads(dltrain("init", "--list", "--json").out)
    assert rows == [{"name": each.name, "summary": each.summary} for each in read_templates()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("mlp", "--list"),
            "error: --list shows all templates; expected no TEMPLATE, no --from and no --output "
            "beside it.\n",
        ),
        (("--json",), "error: --json: a config is YAML.\nIt goes with --list.\n"),
        (("--force",), "error: --force: nothing is overwritten without --output.\n"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    dltrain: Cli, arguments: tuple[str, ...], message: str
) -> None:
    assert dltrain("init", *arguments) == Result(2, "", message)
