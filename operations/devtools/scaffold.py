"""``vet new``: the files of a new resource or service, and the lines that connect it; then what is left for a person.

What is generated is the form of CONTRIBUTING.md. An argument that nobody can guess is written as ``...``, which no check lets pass.
"""

import importlib
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from operations.shared.console import terminal
from operations.shared.errors import Failure

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
AWS = "cdktf_cdktf_provider_aws"

console = terminal(whole_lines=True)


@dataclass(frozen=True)
class InsertedLine:
    """A line to write into a file that there is, before the first line that a pattern matches after another one."""

    file: str
    text: str
    before: str
    after: str = ""


def resource(name: str, type_: str, root: Path = ROOT) -> None:
    """Write a resource that a setting turns on: setting, construct, test, and the lines that connect them.

    :param name: what it is called in the settings, such as ``uptime-check``.
    :param type_: Terraform's type of its main resource, such as ``aws_route53_health_check``.
    :param root: the repository.

    Raises:
        Failure: the name is not usable, AWS's provider has no such type, or something of this name is there.
    """
    words = _words(name)
    key, title, class_ = name.replace("-", "_"), words.title().replace(" ", ""), _provider_class(type_)
    parameters = inspect.signature(class_.__init__).parameters.values()
    required = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.default is each.empty]
    values: dict[str, Any] = {"words": words, "title": title, "class": class_.__name__, "required": required}
    values |= {"key": key, "module": type_.removeprefix("aws_"), "type": type_}
    enabled = f'if environment.{key}.enabled:\n            {title}(self, "{key}", names=names)'
    files = {
        f"settings/{key}.py": "resource_settings.py.j2",
        f"modules/aws/{key}.py": "resource_construct.py.j2",
        f"tests/unit/stacks/test_{key}.py": "resource_test.py.j2",
    }
    lines = [
        InsertedLine("settings/environment.py", f"from settings.{key} import {title}Settings\n", "from settings"),
        InsertedLine(
            "settings/environment.py",
            f'    {key}: {title}Settings = {title}Settings()\n    """Off by default."""\n\n',
            "    alarms: ",
        ),
        InsertedLine("settings/effects.py", f'    "{key}.enabled": _IN_AWS,\n', '    "alarms.enabled"'),
        InsertedLine("tests/everything.py", f'    "{key}": {{"enabled": True}},\n', '    "alarms": '),
        InsertedLine("stacks/infrastructure.py", f"from modules.aws.{key} import {title}\n", "from modules.aws"),
        InsertedLine("stacks/infrastructure.py", f"        {enabled}\n", "        if environment.budget.enabled"),
    ]
    _write(root, files, lines, values)
    console.print(
        f"Now: fill in each ... of modules/aws/{key}.py; make format schema; run tests/unit/stacks/test_{key}.py.\n"
        "Then tests ask for its price (operations/report/cost_estimate.py), for what AWS takes in each attribute\n"
        "(tests/policy/aws_attributes.yaml), and for an entry in CHANGELOG.md. CONTRIBUTING.md has the whole walk."
    )


def service(name: str, root: Path = ROOT) -> None:
    """Write a service on the cluster: its construct and its values, and the lines that connect them.

    :param name: of the release, such as ``external-dns``.
    :param root: the repository.

    Raises:
        Failure: the name is not usable, or something of this name is there.
    """
    words = _words(name)
    key, title = name.replace("-", "_"), words.title().replace(" ", "")
    files = {
        f"modules/platform/{key}.py": "service_construct.py.j2",
        f"helm-values/{name}.yaml": "service_values.yaml.j2",
    }
    lines = [
        InsertedLine("stacks/helm.py", f"from modules.platform.{key} import {title}\n", "from modules.platform"),
        InsertedLine(
            "stacks/helm.py",
            f'        {title}(self, "{key}", names=names)\n',
            "        if environment.agents.autoscaler",
        ),
        InsertedLine("operations/report/workloads.py", f'    "{name}": "...",\n', "}", after="PURPOSES"),
    ]
    _write(root, files, lines, {"words": words, "title": title, "name": name})
    console.print(
        "Now: make format; settings/releases/catalogue.yaml (chart, versions, digests) and the release sets; settings/namespaces.py;\n"
        "what it is for in operations/report/workloads.py; the keys of its chart: python -m settings.helm_values keys FOLDER.\n"
        "If it calls AWS: settings/web_identity.py, modules/aws/pod_rights.py. CONTRIBUTING.md has the list."
    )


def _words(name: str) -> str:
    if not NAME.fullmatch(name):
        raise Failure(
            f"{name!r} is no name for it", "Use small letters, digits and single dashes, such as external-dns"
        )
    return name.replace("-", " ")


def _provider_class(type_: str) -> Any:
    try:
        module = importlib.import_module(f"{AWS}.{type_.removeprefix('aws_')}")
    except ModuleNotFoundError as error:
        raise Failure(
            f"AWS's provider has no {type_}", "Its types: https://registry.terraform.io, hashicorp/aws"
        ) from error
    return getattr(module, "".join(word.capitalize() for word in type_.removeprefix("aws_").split("_")))


def _write(root: Path, files: dict[str, str], lines: list[InsertedLine], values: dict[str, Any]) -> None:
    """Write all files and lines, or none."""
    if there := [file for file in files if (root / file).exists()]:
        raise Failure(f"{', '.join(there)} exists already", "Choose another name; nothing was written")
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    texts = {file: environment.get_template(template).render(values) for file, template in files.items()}
    for line in lines:
        text = texts.get(line.file) or (root / line.file).read_text()
        found = re.compile(f"^{re.escape(line.before)}", re.MULTILINE).search(text, text.find(line.after) + 1)
        if found is None:
            raise Failure(
                f"{line.file} has no line that begins with {line.before!r}", f"Write there: {line.text.strip()}"
            )
        texts[line.file] = text[: found.start()] + line.text + text[found.start() :]
    for file, text in texts.items():
        (root / file).write_text(text)
        console.print(f"wrote {file}")
