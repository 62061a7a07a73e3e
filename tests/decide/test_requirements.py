"""
Rules between parameters: what a blueprint requires, and how it complains.
"""

import shutil
from pathlib import Path

import pytest

from blueprints import catalogue, platform_file
from blueprints.compiling import compile_platform
from blueprints.problem import BlueprintError, BlueprintInvalid

WEB = Path(catalogue.__file__).parent / "web"
PARAMETERS = """\
      settings:
        type: object
        default: {}
        additionalProperties: false
        properties:
          colour: {type: string}
          fsync: {not: {}, description: it belongs to the platform.}
"""


def web_requiring(tmp_path, requirement):
    """The web blueprint with one rule between parameters, and a parameter that is a mapping."""
    folder = tmp_path / "web"
    shutil.copytree(WEB, folder)
    file = folder / "blueprint.yaml"
    text = file.read_text().replace(
        "\nparameters:\n", f"\nrequires:\n  - {requirement}\nparameters:\n", 1
    )
    text = text.replace("  properties:\n", f"  properties:\n{_outdented()}", 1)
    file.write_text(text)
    return folder


def _outdented():
    return "".join(line[2:] for line in PARAMETERS.splitlines(keepends=True))


def complaints(folder, parameters):
    """What a service with such parameters is told."""
    text = (
        "platform: demo\nservices:\n  shop:\n    blueprint: web\n"
        f"    parameters: {parameters}\n"
    )
    blueprints = {"web": catalogue.load(folder)}
    try:
        compile_platform(platform_file.from_text(text, "p.yaml"), blueprints)
    except BlueprintError as error:
        return str(error).splitlines()
    return []


FEWER = (
    '{at: surge, that: "{{ surge <= count }}", '
    'say: "{{ surge }} extra instances for {{ count }}: take {{ count }} at most"}'
)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        pytest.param("{count: 3, surge: 3}", [], id="it holds"),
        pytest.param(
            "{count: 2, surge: 3}",
            [
                (
                    "p.yaml:5: services.shop.parameters.surge: "
                    "3 extra instances for 2: take 2 at most"
                )
            ],
            id="it does not",
        ),
        pytest.param(
            "{count: 0, surge: 3}",
            [
                (
                    "p.yaml:5: services.shop.parameters.count: 0 is less than the minimum "
                    "of 1 (Instances that serve.)"
                )
            ],
            id="single values are judged first",
        ),
        pytest.param(
            "{settings: {color: red}}",
            [
                (
                    "p.yaml:5: services.shop.parameters.settings.color: unknown key; "
                    "did you mean 'colour'?"
                )
            ],
            id="an unknown key in a mapping is named",
        ),
        pytest.param(
            "{settings: {fsync: off}}",
            [
                (
                    "p.yaml:5: services.shop.parameters.settings.fsync: "
                    "is not for you to set: it belongs to the platform."
                )
            ],
            id="what may not be set says why",
        ),
    ],
)
def test_requirements(tmp_path, parameters, said):
    """A broken rule is one sentence at the parameter it is about; rules that hold say nothing."""
    assert complaints(web_requiring(tmp_path, FEWER), parameters) == said


def test_a_rule_that_cannot_be_evaluated(tmp_path):
    """A mistake in a rule is the blueprint's, and is found at its place."""
    broken = '{at: count, that: "{{ cuont > 1 }}", say: "never"}'
    (said,) = complaints(web_requiring(tmp_path, broken), "{count: 3}")

    assert "requires[0].that" in said
    assert "'cuont' is undefined" in said


def test_a_rule_has_three_parts(tmp_path):
    """A rule without its sentence is refused when the blueprint is loaded."""
    with pytest.raises(BlueprintInvalid, match="lacks the key 'say'"):
        catalogue.load(web_requiring(tmp_path, '{at: count, that: "{{ true }}"}'))
