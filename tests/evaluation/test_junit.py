"""Does a JUnit reader find each requirement, and what failed?"""

from __future__ import annotations

from pathlib import Path

from junitparser import Error, Failure, JUnitXml

from dltrain.evaluation.junit import Failed, write_junit
from dltrain.evaluation.requirements import check_requirements, parse_requirement


def read_cases(path: Path) -> tuple[JUnitXml, list[object]]:
    xml = JUnitXml.fromfile(str(path))
    return xml, [case for suite in xml for case in suite]


def test_each_requirement_is_a_case_that_passes_or_fails(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "junit.xml"
    wanted = [parse_requirement(text) for text in ("epochs<=5", "test.accuracy>=0.98")]
    scores = {"test": {"accuracy": {"value": 0.97, "low": 0.9, "high": 1.0}}}
    results = check_requirements(wanted, scores=scores, facts={"epochs": 3})
    write_junit(
        path,
        command="fit",
        name="mnist-cnn",
        seconds=12.3456,
        results=results,
        properties={"run": "runs/mnist-cnn/0001"},
    )
    xml, cases = read_cases(path)
    assert (xml.tests, xml.failures, xml.errors, xml.time) == (3, 1, 0, 12.346)
    assert [case.name for case in cases] == ["dltrain fit", *("epochs<=5", "test.accuracy>=0.98")]
    assert {case.classname for case in cases} == {"dltrain.mnist-cnn"}
    assert [case.is_passed for case in cases] == [True, True, False]
    failure = cases[2].result[0]
    assert isinstance(failure, Failure)
    assert failure.message == "wanted test.accuracy >= 0.98, got 0.97"
    assert failure.type == "requirement not met"
    (suite,) = xml
    assert {each.name: each.value for each in suite.properties()} == {"run": "runs/mnist-cnn/0001"}


def test_a_command_that_failed_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    failed = Failed(4, "The loss is not finite.", "Lower the learning rate.")
    write_junit(path, command="fit", name="tiny", seconds=1, failed=failed)
    xml, cases = read_cases(path)
    assert (xml.tests, xml.failures, xml.errors) == (1, 0, 1)
    error = cases[0].result[0]
    assert isinstance(error, Error)
    assert (error.message, error.type) == ("The loss is not finite.", "exit code 4")
    assert error.text == "The loss is not finite.\nLower the learning rate."


def test_what_xml_can_not_hold_is_escaped_and_markup_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    message = 'class "<b>&\x1b[31m\ufffe" \U0001f600'
    write_junit(path, command="eval", name="a<b", seconds=1, failed=Failed(3, message))
    _, cases = read_cases(path)
    assert cases[0].result[0].message == 'class "<b>&\\x1b[31m\\ufffe" \U0001f600'
    assert cases[0].classname == "dltrain.a<b"
