"""What a token makes the service answer."""

from __future__ import annotations

from .signer import Signer, window
from .storage import BLOB, CONTAINER, Storage


def test_response_headers_and_encryption_scope_are_signed(signer: Signer, storage: Storage) -> None:
    headers = {
        "cache_control": "no-store, max-age=0",
        "content_disposition": 'attachment; filename="a b+c.csv"',
        "content_encoding": "identity",
        "content_language": "de, en",
        "content_type": "text/csv; charset=utf-8",
    }
    token = signer.sign(
        "service-sas-blob",
        **storage.account,
        **window(),
        resource={"container": CONTAINER, "blob": BLOB},
        permissions="r",
        encryption_scope="finance",
        response_headers=headers,
    )
    blob = storage.blobs(token).get_blob_client(CONTAINER, BLOB)
    settings = blob.get_blob_properties().content_settings
    assert {name: settings[name] for name in headers} == headers
