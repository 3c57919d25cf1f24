"""The pipeline: one description of its jobs, and the files that GitHub and GitLab read (``make workflows``)."""

from pathlib import Path


def files() -> dict[Path, str]:
    """Every file with its text."""
    from operations.pipeline import github, gitlab

    return {**github.files(), **gitlab.files()}


def write() -> list[Path]:
    """Write them; returns their paths."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files())
