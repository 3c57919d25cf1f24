"""Keys of our own in place of those of AWS, so that the check of a signature is the real one."""

import subprocess
from pathlib import Path

GPG = ["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]


def make_key(home: Path) -> Path:
    """A key in a keyring of its own: ``key.gpg`` as gpgv reads it, and ``fingerprint`` in capitals."""
    home.chmod(0o700)
    subprocess.run([*GPG, "--homedir", home, "--quick-generate-key", "test", "ed25519", "sign", "never"], check=True)
    key = subprocess.run([*GPG, "--homedir", home, "--export"], check=True, capture_output=True).stdout
    (home / "key.gpg").write_bytes(key)
    listed = subprocess.run([*GPG, "--homedir", home, "--with-colons", "--list-keys"], check=True, capture_output=True)
    fingerprint = next(line.split(":")[9] for line in listed.stdout.decode().splitlines() if line.startswith("fpr:"))
    (home / "fingerprint").write_text(fingerprint)
    return home
