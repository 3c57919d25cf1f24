"""Runs a workflow's jobs as GitHub would: conditions, needs, matrices, called workflows, outputs, artifacts, and each ``run:`` by bash.

Actions are played: a checkout is a clone, credentials are those of the role that trusts the job's token, artifacts are folders. Expressions are those
that the workflows use; any other is an error, so that none is taken for true.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Block = dict[str, Any]
Context = Mapping[str, Any]
Credentials = Callable[[str, str], dict[str, str]]
"""Environment variables of a role for a token's subject."""

TOKEN = re.compile(r"'(?:[^']|'')*'|\|\||&&|==|!=|[()!,\[\]]|[\w.-]+")


class Expression:
    """GitHub's expressions, as far as the workflows use them (GitHub: evaluate expressions in workflows)."""

    def __init__(self, text: str, context: Context) -> None:
        self._tokens = TOKEN.findall(text)
        self._context = context

    def value(self) -> Any:
        """What it comes to."""
        value = self._either()
        assert not self._tokens, f"not understood: {self._tokens}"
        return value

    def _either(self) -> Any:
        value = self._both()
        while self._next("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._equal()
        while self._next("&&"):
            other = self._equal()
            value = value and other
        return value

    def _equal(self) -> Any:
        value = self._one()
        for sign in ("==", "!="):
            if self._next(sign):
                return (value == self._one()) == (sign == "==")
        return value

    def _one(self) -> Any:
        token = self._tokens.pop(0)
        if token == "!":
            return not self._one()
        if token == "(":
            value = self._either()
            assert self._next(")")
            return value
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if self._next("("):
            return self._call(token)
        return self._look(token)

    def _call(self, name: str) -> Any:
        given = [] if self._tokens[0] == ")" else [self._either()]
        assert self._next(")")
        functions: dict[str, Callable[..., Any]] = {
            "fromJSON": json.loads,
            "always": lambda: True,
            "failure": lambda: "failure" in [each["result"] for each in self._context["needs"].values()],
        }
        return functions[name](*given)

    def _look(self, path: str) -> Any:
        value: Any = self._context
        for part in path.split("."):
            value = value.get(part, "") if isinstance(value, Mapping) else ""
        return value

    def _next(self, token: str) -> bool:
        if self._tokens and self._tokens[0] == token:
            self._tokens.pop(0)
            return True
        return False


def resolved(value: Any, context: Context) -> Any:
    """A value of the file with its expressions evaluated; one that is nothing but an expression keeps its type."""
    if isinstance(value, Mapping):
        return {key: resolved(each, context) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    if whole := re.fullmatch(r"\$\{\{(.+?)\}\}", value):
        return Expression(whole[1], context).value()
    return re.sub(r"\$\{\{(.+?)\}\}", lambda match: str(Expression(match[1], context).value()), value)


def holds(condition: str | None, context: Context, *, well: bool) -> bool:
    """Whether a condition lets its job or step run; without a word about failures, only where nothing failed."""
    if condition is None:
        return well
    result = bool(Expression(condition, context).value())
    return result and (well or "always()" in condition or "failure()" in condition)


@dataclass
class Ran:
    """What became of a job."""

    result: str
    """``success``, ``failure`` or ``skipped``."""

    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""


@dataclass
class Runner:
    """A repository on GitHub.

    :param origin: the bare repository that jobs clone and push to.
    :param folder: for clones and artifacts.
    :param environment: what every process has.
    :param credentials: gives a job what its role may do.
    :param variables: of the repository and, by name, of its environments.
    :param prepare: puts into a clone what its setup would bring: the installed packages.
    :param elsewhere: beginnings of lines that another suite runs, each with a file that the line leaves; empty if it leaves none.
    """

    origin: Path
    folder: Path
    environment: Mapping[str, str]
    credentials: Credentials
    variables: Mapping[str, str]
    environments: Mapping[str, Mapping[str, str]]
    prepare: Callable[[Path], None]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    approve: Callable[[str], None] = lambda _: None
    """Called when a job waits for its environment's reviewers."""
    tokens: list[str] = field(default_factory=list)
    """Subjects of the tokens that were given, with their role."""

    def run(
        self, file: str, event: Block, *, inputs: Context | None = None, ref: str = "main", but: Sequence[str] = ()
    ) -> dict[str, Ran]:
        """Run a workflow of the branch; what became of each job, with a matrix's in brackets.

        :param but: jobs to leave out, which nothing else may need.
        """
        clone = self._clone(ref)
        workflow = yaml.safe_load((clone / ".github/workflows" / file).read_text())
        for name in but:
            del workflow["jobs"][name]
        github = {
            "event": event,
            "repository": "clinic/platform",
            "run_id": "1",
            "ref": f"refs/heads/{ref}",
            "token": "token-of-the-run",
            "workspace": "",
        }
        jobs: dict[str, Ran] = {}
        self._jobs(workflow, {"github": github, "inputs": inputs or {}}, ref, jobs, "")
        return jobs

    def _jobs(self, workflow: Block, context: Context, ref: str, jobs: dict[str, Ran], prefix: str) -> str:
        done: dict[str, Block] = {}
        for name, job in workflow["jobs"].items():
            needs = job.get("needs", [])
            needed = {each: done[each] for each in ([needs] if isinstance(needs, str) else needs)}
            around = {**context, "needs": needed, "vars": self.variables}
            well = all(each["result"] == "success" for each in needed.values())
            if not holds(job.get("if"), around, well=well):
                jobs[prefix + name] = Ran("skipped")
                done[name] = {"result": "skipped", "outputs": {}}
                continue
            done[name] = self._matrix(name, job, around, ref, jobs, prefix)
        return "failure" if any(each["result"] == "failure" for each in done.values()) else "success"

    def _matrix(self, name: str, job: Block, context: Context, ref: str, jobs: dict[str, Ran], prefix: str) -> Block:
        result, outputs = "success", {}
        for matrix in self._combinations(job, context):
            title = prefix + name + (f"[{','.join(matrix.values())}]" if matrix else "")
            around = {**context, "matrix": matrix}
            if "uses" in job:
                called = yaml.safe_load((self._clone(ref) / job["uses"].removeprefix("./")).read_text())
                inner = {**around, "inputs": resolved(job.get("with", {}), around)}
                each = self._jobs(called, inner, ref, jobs, f"{title} / ")
            else:
                jobs[title] = self._job(job, around, ref)
                each, outputs = jobs[title].result, jobs[title].outputs
            result = "failure" if "failure" in (result, each) else result
            if result == "failure" and job.get("strategy", {}).get("fail-fast"):
                break
        return {"result": result, "outputs": outputs}

    @staticmethod
    def _combinations(job: Block, context: Context) -> Iterator[dict[str, str]]:
        matrix = job.get("strategy", {}).get("matrix")
        if not matrix:
            yield {}
            return
        ((key, values),) = matrix.items()
        yield from ({key: value} for value in resolved(values, context))

    def _job(self, job: Block, context: Context, ref: str) -> Ran:
        named = resolved(job.get("environment", ""), context)
        if named:
            self.approve(named)
        around: Block = {**context, "vars": {**self.variables, **self.environments.get(named, {})}, "steps": {}}
        subject = f"environment:{named}" if named else self._subject(context)
        process = {
            key: value
            for key, value in self.environment.items()
            if not key.startswith("AWS_") or key == "AWS_ENDPOINT_URL"
        }
        done, place = Ran("success"), _Place(self._empty("job"))
        for step in job["steps"]:
            if not holds(step.get("if"), around, well=done.result == "success"):
                continue
            if "uses" in step:
                good, output = self._action(step, around, place, process, job, subject, ref)
            else:
                good, output = self._line(step, around, place, process)
            done.log += output
            if not good:
                done.result = "failure"
        done.outputs = {key: str(resolved(value, around)) for key, value in job.get("outputs", {}).items()}
        done.summary = place.summary.read_text()
        return done

    @staticmethod
    def _subject(context: Context) -> str:
        return "pull_request" if "pull_request" in context["github"]["event"] else f"ref:{context['github']['ref']}"

    def _line(self, step: Block, context: Block, place: "_Place", process: Mapping[str, str]) -> tuple[bool, str]:
        for beginning, left in self.elsewhere.items():
            if step["run"].startswith(beginning):
                if left:
                    (place.work / left).parent.mkdir(parents=True, exist_ok=True)
                    (place.work / left).touch()
                return True, f"$ {step['run']}\n(another suite runs it)\n"
        place.output.write_text("")
        variables = {key: str(value) for key, value in resolved(step.get("env", {}), context).items()}
        answer = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=place.work,
            env={**process, **variables, "GITHUB_OUTPUT": str(place.output), "GITHUB_STEP_SUMMARY": str(place.summary)},
            capture_output=True,
            text=True,
        )
        outputs = dict(line.split("=", 1) for line in place.output.read_text().splitlines())
        if "id" in step:
            context["steps"][step["id"]] = {"outputs": outputs}
        return answer.returncode == 0, f"$ {step['run']}\n{answer.stdout}{answer.stderr}"

    def _action(
        self, step: Block, context: Block, place: "_Place", process: dict[str, str], job: Block, subject: str, ref: str
    ) -> tuple[bool, str]:
        if step["uses"].startswith("./"):  # the project's own, which installs what is here already
            return True, f"uses {step['uses']}\n"
        name, given = step["uses"].split("@")[0].split("/")[1], resolved(step.get("with", {}), context)
        if name == "checkout":
            self._clone(ref, place.work)
        elif name == "configure-aws-credentials":
            if job["permissions"].get("id-token") != "write":
                return False, "no token is given to a job without the right to one"
            role = given["role-to-assume"]
            self.tokens.append(f"{subject} -> {role}")
            process.update(self.credentials(role, subject), AWS_REGION=given["aws-region"])
        elif name == "upload-artifact":
            return self._keep(given, place.work)
        elif name == "download-artifact":
            return self._take(given, place.work)
        elif name not in ("setup-python", "attest-build-provenance"):
            return False, f"the runner does not know {step['uses']}"
        return True, f"uses {step['uses']}\n"

    def _keep(self, given: Block, work: Path) -> tuple[bool, str]:
        paths = [path for line in given["path"].splitlines() for path in work.glob(line)]
        if not paths:
            return given.get("if-no-files-found") != "error", f"no files at {given['path']}\n"
        target = self.folder / "artifacts" / given["name"]
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for path in paths:
            if path.is_dir():
                shutil.copytree(path, target, dirs_exist_ok=True)
            else:
                shutil.copy(path, target / path.name)
        return True, f"kept {given['name']}: {', '.join(path.name for path in paths)}\n"

    def _take(self, given: Block, work: Path) -> tuple[bool, str]:
        source = self.folder / "artifacts" / given["name"]
        if not source.is_dir():
            return False, f"there is no artifact {given['name']}\n"
        shutil.copytree(source, work / given.get("path", "."), dirs_exist_ok=True)
        return True, f"took {given['name']}\n"

    def _clone(self, ref: str, target: Path | None = None) -> Path:
        target = target or self._empty("read")
        subprocess.run(
            ["git", "clone", "--quiet", "--branch", ref, str(self.origin), str(target)], check=True, capture_output=True
        )
        self.prepare(target)
        return target

    def _empty(self, name: str) -> Path:
        number = sum(1 for _ in self.folder.glob(f"{name}-*"))
        return self.folder / f"{name}-{number}"


class _Place:
    """A job's machine."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.work = folder / "work"
        self.work.mkdir()
        self.output, self.summary = folder / "output", folder / "summary"
        self.summary.touch()
