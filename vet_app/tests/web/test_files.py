"""Files of a pet: who adds them, pictures within pages, what is another animal's, the quota, and a bucket."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Iterator

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from prometheus_client import generate_latest

from audit.models import AuditEntry
from clinic import files
from clinic.models import Attachment
from clinic.services.attachments import attach, mark_entered_in_error
from exchange.patient import patient_record
from tests.runtime.servers import ROOT
from vetclinic import metrics
from vetclinic.errors import Conflict

PNG = b"\x89PNG\r\n\x1a\n picture"
PDF = b"%PDF-1.4 sheet"


@pytest.fixture
def photo(clinic: SimpleNamespace) -> Attachment:
    return attach(clinic.actor, clinic.pet.pk, "Paw.png", PNG)


def names_in_record(clinic: SimpleNamespace) -> str:
    with zipfile.ZipFile(io.BytesIO(b"".join(patient_record(clinic.actor, clinic.pet.pk)))) as archive:
        return " ".join(archive.namelist()) + archive.read("record.json").decode()


def test_reception_adds_a_file(client_of: Callable[[str], Client], clinic: SimpleNamespace) -> None:
    where = f"/pets/{clinic.pet.pk}/attachments/new/"
    answer = client_of("reception").post(where, {"file": SimpleUploadedFile("scan.pdf", PDF)})
    assert answer.status_code == 302 and Attachment.objects.get().name == "scan.pdf"
    assert client_of("readonly").post(where, {"file": SimpleUploadedFile("x.pdf", PDF)}).status_code == 403


def test_a_picture_is_shown_within_the_page_and_can_do_nothing(
    client_of: Callable[[str], Client], clinic: SimpleNamespace, photo: Attachment
) -> None:
    vet, where = client_of("vet"), f"/attachments/{photo.pk}/picture/"
    assert f'<img src="{where}"' in vet.get(f"/pets/{clinic.pet.pk}/").content.decode()
    answer = vet.get(where)
    assert answer.content == PNG and answer["Content-Type"] == "image/png"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Content-Disposition"].startswith("inline") and answer["X-Content-Type-Options"] == "nosniff"
    desk = client_of("reception")
    assert desk.get(where).content == PNG, "who may add a photo may see it"
    assert where in desk.get(f"/pets/{clinic.pet.pk}/").content.decode()
    assert desk.get(f"/attachments/{photo.pk}/").status_code == 200
    sheet = attach(clinic.actor, clinic.pet.pk, "sheet.pdf", PDF)
    assert vet.get(f"/attachments/{sheet.pk}/picture/").status_code == 404, "a document is saved, never opened"


def test_a_file_of_the_wrong_animal_is_struck_through_and_leaves_the_record(
    as_manager: Client, clinic: SimpleNamespace, photo: Attachment
) -> None:
    assert "paw.png" in names_in_record(clinic)
    where = f"/attachments/{photo.pk}/error/"
    assert as_manager.post(where, {"reason": " "}).status_code == 422
    assert as_manager.post(where, {"reason": "Otto's paw"})["Location"] == f"/pets/{clinic.pet.pk}/"
    page = as_manager.get(f"/pets/{clinic.pet.pk}/").content.decode()
    assert 'class="gone">Paw.png' in page and "Otto&#x27;s paw" in page and "picture/" not in page
    assert "paw.png" not in names_in_record(clinic) and "Paw.png" not in names_in_record(clinic)
    assert "Paw.png" not in as_manager.get(f"/pets/{clinic.pet.pk}/record/").content.decode()
    assert as_manager.post(where, {"reason": "again"}).status_code == 409
    entry = AuditEntry.objects.get(object_type="attachment", action="void")
    assert entry.changes["error_reason"] == ["", "Otto's paw"]


def test_files_have_a_quota_and_a_metric(clinic: SimpleNamespace, photo: Attachment, settings: Any) -> None:
    settings.ATTACHMENTS_QUOTA = len(PNG) + len(PDF) - 1
    with pytest.raises(ValidationError, match="no space left"):
        attach(clinic.actor, clinic.pet.pk, "sheet.pdf", PDF)
    settings.ATTACHMENTS_QUOTA += 1
    attach(clinic.actor, clinic.pet.pk, "sheet.pdf", PDF)
    metrics.FILES.set(files.bytes_used())
    assert f"vet_attachment_bytes {float(len(PNG) + len(PDF))}" in generate_latest().decode()


KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def test_the_application_asks_for_no_other_key_than_the_buckets(tmp_path: Path) -> None:
    """S3 takes `aws:kms` without a key for AWS's own (API: PutObject), whatever key the bucket has."""
    asked = "from vetclinic import settings; print(settings.STORAGES['attachments']['OPTIONS'])"
    environment = {"VAR_DIR": str(tmp_path), "PATH": "/usr/bin:/bin", "ATTACHMENTS_BUCKET": "files"}
    ran = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "'bucket_name': 'files'" in ran.stdout, ran.stderr
    assert "object_parameters" not in ran.stdout, ran.stdout


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket of S3 that lives as long as the test."""
    moto = pytest.importorskip("moto", reason="moto is installed on the maintained Python")
    import boto3

    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    with moto.mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="files")
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
        rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
        client.put_bucket_encryption(Bucket="files", ServerSideEncryptionConfiguration=rules)
        settings.ATTACHMENTS_BUCKET = "files"
        options = {"bucket_name": "files", "default_acl": None, "file_overwrite": False, "signature_version": "s3v4"}
        backend = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, files.STORAGE: backend}
        yield client


def test_files_are_kept_in_a_bucket_encrypted_and_nameless(
    as_manager: Client, clinic: SimpleNamespace, bucket: Any
) -> None:
    kept = attach(clinic.actor, clinic.pet.pk, "Biscuit Müller.png", PNG)
    assert bytes(kept.content) == b"" and kept.location
    head = bucket.head_object(Bucket="files", Key=kept.location)
    assert head["ServerSideEncryption"] == "aws:kms" and head["ContentLength"] == len(PNG)
    assert head["SSEKMSKeyId"] == KEY, "the bucket's key encrypts, and no other that the application asks for"
    assert "biscuit" not in kept.location.lower(), "a name of the bucket tells nothing"
    answer = as_manager.get(f"/attachments/{kept.pk}/")
    assert answer.status_code == 302
    address = answer["Location"]
    assert "X-Amz-Signature" in address and "X-Amz-Expires=60" in address and "response-content-disposition" in address
    assert as_manager.get(f"/attachments/{kept.pk}/picture/").content == PNG
    assert "biscuit-muller" in names_in_record(clinic)


def test_what_is_refused_leaves_nothing_in_the_bucket(clinic: SimpleNamespace, bucket: Any) -> None:
    with pytest.raises(ValidationError):
        attach(clinic.actor, clinic.pet.pk, "a\x00b.png", PNG)
    assert bucket.list_objects_v2(Bucket="files")["KeyCount"] == 0


def test_files_in_the_database_stay_readable_beside_the_bucket(
    as_manager: Client, photo: Attachment, bucket: Any
) -> None:
    assert as_manager.get(f"/attachments/{photo.pk}/").content == PNG


def test_a_file_is_taken_back_once(clinic: SimpleNamespace, photo: Attachment) -> None:
    mark_entered_in_error(clinic.actor, photo.pk, "x")
    with pytest.raises(Conflict):
        mark_entered_in_error(clinic.actor, photo.pk, "x")
