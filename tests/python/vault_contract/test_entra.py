"""Service principals: by secret, by certificate, by a federated token, and what Entra says of wrong ones."""

from __future__ import annotations

import base64
import datetime
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest
import requests
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import CertificateCredential, ClientAssertionCredential, WorkloadIdentityCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from .conftest import MakeClient, MakeCredential
from .testvault import Control

FEDERATED = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6YWlyZmxvdzp3b3JrZXIifQ.c2ln"


@dataclass(frozen=True)
class Identity:
    """A key and its certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def public(self) -> str:
        """The certificate, PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def private(self) -> bytes:
        """Key and certificate, PEM."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return key + self.public.encode()

    def thumbprint(self, algorithm: hashes.HashAlgorithm) -> str:
        """Base64url of the certificate's hash."""
        return base64.urlsafe_b64encode(self.certificate.fingerprint(algorithm)).decode().rstrip("=")


def new_identity() -> Identity:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "worker")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    return Identity(key, builder.sign(key, hashes.SHA256()))


@pytest.fixture(scope="module")
def identity() -> Identity:
    """A registered certificate."""
    return new_identity()


@pytest.fixture(scope="module")
def stranger() -> Identity:
    """A certificate that nobody registered."""
    return new_identity()


Assert = Callable[..., TokenCredential]


@pytest.fixture
def assertion(vault: Control, identity: Identity) -> Assert:
    """Makes credentials by a hand-made assertion; what is not said is right."""
    ours = vault.endpoints
    vault.call("PUT", f"/apps/{ours.client_id}", {"certificates": [identity.public]})

    def make(
        algorithm: str = "RS256", x5t: str = "x5t", signer: Identity = identity, **wrong: object
    ) -> TokenCredential:
        thumbprint = identity.thumbprint(hashes.SHA1() if x5t == "x5t" else hashes.SHA256())
        now = int(time.time())
        claims: dict[str, object] = {
            "aud": f"{ours.authority_url}/{ours.tenant_id}/oauth2/v2.0/token",
            "iss": ours.client_id,
            "sub": ours.client_id,
            "jti": str(uuid.uuid4()),
            "nbf": now,
            "exp": now + 600,
        }
        claims = {name: value for name, value in (claims | wrong).items() if value is not None}
        signed = jwt.encode(claims, signer.key, algorithm=algorithm, headers={x5t: thumbprint})
        return ClientAssertionCredential(
            ours.tenant_id,
            ours.client_id,
            lambda: signed,
            authority=ours.authority_url,
            disable_instance_discovery=True,
            connection_verify=ours.ca_file,
            retry_total=0,
        )

    return make


def read(vault: Control, make_client: MakeClient, credential: TokenCredential) -> str | None:
    vault.put("key", "v")
    return make_client(credential).get_secret("key").value


def test_a_client_secret_opens_the_vault(
    vault: Control, make_client: MakeClient, make_credential: MakeCredential
) -> None:
    assert read(vault, make_client, make_credential()) == "v"


@pytest.mark.parametrize(
    ("wrong", "number"),
    [
        ({"client_secret": "wrong"}, "AADSTS7000215"),
        ({"client_id": "7e57da7a-0000-4000-8000-0000000000ff"}, "AADSTS700016"),
    ],
)
def test_a_wrong_principal_is_told_its_number(
    vault: Control,
    make_client: MakeClient,
    make_credential: MakeCredential,
    wrong: dict[str, str],
    number: str,
) -> None:
    with pytest.raises(ClientAuthenticationError, match=number):
        read(vault, make_client, make_credential(**wrong))
    assert vault.counters()["reads"] == 0


@pytest.mark.parametrize("tenant", ["7e57da7a-0000-4000-8000-00000000ffff", "another.example", "no-tenant"])
def test_an_unknown_tenant_is_refused(make_credential: MakeCredential, tenant: str) -> None:
    with pytest.raises(
        (ClientAuthenticationError, ValueError), match=r"[Uu]nable to get authority configuration"
    ):
        make_credential(tenant_id=tenant).get_token("https://vault.azure.net/.default")


def test_a_scope_without_default_is_refused(make_credential: MakeCredential) -> None:
    with pytest.raises(ClientAuthenticationError, match="AADSTS1002012"):
        make_credential().get_token("https://vault.azure.net/secrets")


def test_the_audience_is_the_scope_byte_for_byte(vault: Control, make_credential: MakeCredential) -> None:
    token = make_credential().get_token("https://vault.azure.net//.default").token
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == "https://vault.azure.net/"
    assert {claims["appid"], claims["tid"]} == {vault.endpoints.client_id, vault.endpoints.tenant_id}
    assert claims["iss"] == f"https://sts.windows.net/{vault.endpoints.tenant_id}/"
    assert claims["exp"] - claims["nbf"] == 3600
    assert (claims["ver"], claims["iat"] == claims["nbf"], bool(claims["oid"])) == ("1.0", True, True)


def test_the_lifetime_of_tokens_can_be_set(vault: Control, make_credential: MakeCredential) -> None:
    vault.call("PUT", "/tokens/lifetime", {"seconds": 310})
    left = make_credential().get_token("https://vault.azure.net/.default").expires_on - time.time()
    assert 300 < left <= 311


def test_a_certificate_opens_the_vault(vault: Control, make_client: MakeClient, identity: Identity) -> None:
    ours = vault.endpoints
    vault.call("PUT", f"/apps/{ours.client_id}", {"certificates": [identity.public]})
    credential = CertificateCredential(
        ours.tenant_id,
        ours.client_id,
        certificate_data=identity.private,
        authority=ours.authority_url,
        disable_instance_discovery=True,
        connection_verify=ours.ca_file,
    )
    assert read(vault, make_client, credential) == "v"


@pytest.mark.parametrize("x5t", ["x5t", "x5t#S256"])
@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_an_assertion_may_be_signed_and_named_in_two_ways(
    vault: Control, make_client: MakeClient, assertion: Assert, algorithm: str, x5t: str
) -> None:
    assert read(vault, make_client, assertion(algorithm, x5t)) == "v"


@pytest.mark.parametrize(
    ("wrong", "number"),
    [
        ({"aud": "https://login.microsoftonline.com/token"}, "AADSTS700023"),
        ({"iss": "someone-else"}, "AADSTS700021"),
        ({"sub": "someone-else"}, "AADSTS700021"),
        ({"exp": 1_000_000_000}, "AADSTS700024"),
        ({"exp": None}, "AADSTS700024"),
        ({"nbf": 4_000_000_000}, "AADSTS700024"),
        ({"jti": None}, "AADSTS50027"),
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(
    assertion: Assert, wrong: dict[str, object], number: str
) -> None:
    with pytest.raises(ClientAuthenticationError, match=number):
        assertion(**wrong).get_token("https://vault.azure.net/.default")


def test_an_assertion_of_another_key_is_refused(assertion: Assert, stranger: Identity) -> None:
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
        assertion(signer=stranger).get_token("https://vault.azure.net/.default")


@pytest.fixture
def workload(vault: Control, tmp_path: Path) -> tuple[Path, Callable[[], WorkloadIdentityCredential]]:
    """A projected token file that is registered, and a maker of credentials that read it."""
    ours, path = vault.endpoints, tmp_path / "token"
    path.write_text(FEDERATED)

    def make() -> WorkloadIdentityCredential:
        return WorkloadIdentityCredential(
            tenant_id=ours.tenant_id,
            client_id=ours.client_id,
            token_file_path=str(path),
            authority=ours.authority_url,
            disable_instance_discovery=True,
            connection_verify=ours.ca_file,
            retry_total=0,
        )

    return path, make


Workload = tuple[Path, Callable[[], WorkloadIdentityCredential]]


def test_a_federated_token_opens_the_vault(
    vault: Control, make_client: MakeClient, workload: Workload
) -> None:
    vault.call("PUT", f"/apps/{vault.endpoints.client_id}", {"assertions": [FEDERATED]})
    assert read(vault, make_client, workload[1]()) == "v"


def test_a_registered_file_is_read_at_each_request(
    vault: Control, make_client: MakeClient, workload: Workload
) -> None:
    path, make = workload
    vault.call("PUT", f"/apps/{vault.endpoints.client_id}", {"assertion_files": [str(path)]})
    assert read(vault, make_client, make()) == "v"
    path.write_text(FEDERATED + "dG9kYXk")
    assert read(vault, make_client, make()) == "v"


@pytest.mark.parametrize(
    ("text", "number"),
    [(FEDERATED, "AADSTS700213"), (f"{FEDERATED}\n", "AADSTS50027"), ("no", "AADSTS50027")],
)
def test_an_unknown_federated_token_is_refused(workload: Workload, text: str, number: str) -> None:
    path, make = workload
    path.write_text(text)
    with pytest.raises(ClientAuthenticationError, match=number):
        make().get_token("https://vault.azure.net/.default")


@pytest.mark.parametrize("status", [429, 503])
def test_entra_may_be_unwell(vault: Control, make_credential: MakeCredential, status: int) -> None:
    credential = make_credential()
    vault.fault("status", face="entra", status=status, body="json", retry_after=7)
    with pytest.raises((ClientAuthenticationError, HttpResponseError, ValueError)):
        credential.get_token("https://vault.azure.net/.default")
    vault.clear_faults()
    assert make_credential().get_token("https://vault.azure.net/.default").token


@pytest.mark.parametrize("crlf", [False, True])
def test_an_error_has_a_number_and_a_trace_in_one_line_or_in_several(vault: Control, crlf: bool) -> None:
    vault.call("PUT", "/entra", {"crlf": crlf})
    ours = vault.endpoints
    form = {"grant_type": "client_credentials", "scope": "https://vault.azure.net/.default", "client_id": "x"}
    url = f"{ours.authority_url}/{ours.tenant_id}/oauth2/v2.0/token"
    answer = requests.post(url, data=form, verify=ours.ca_file, timeout=10)
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (400, "unauthorized_client", [700016])
    assert set(body) >= {"timestamp", "trace_id", "correlation_id", "error_uri"}
    assert ("\r\nTrace ID: " if crlf else " Trace ID: ") in body["error_description"]


@pytest.mark.parametrize(
    ("change", "error", "number"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type", 70003),
        ({"grant_type": ""}, "invalid_request", 900144),
        ({"client_id": ""}, "invalid_request", 900144),
        ({"scope": ""}, "invalid_request", 900144),
        ({"client_secret": None}, "invalid_client", 7000216),
        ({"client_secret": None, "client_assertion": "a.b.c"}, "invalid_request", 900144),
    ],
)
def test_an_incomplete_form_is_told_what_it_lacks(
    vault: Control, change: dict[str, str | None], error: str, number: int
) -> None:
    ours = vault.endpoints
    right = {
        "grant_type": "client_credentials",
        "scope": "https://vault.azure.net/.default",
        "client_id": ours.client_id,
        "client_secret": ours.client_secret,
    }
    form = {name: value for name, value in (right | change).items() if value is not None}
    url = f"{ours.authority_url}/{ours.tenant_id}/oauth2/v2.0/token"
    body = requests.post(url, data=form, verify=ours.ca_file, timeout=10).json()
    assert (body["error"], body["error_codes"]) == (error, [number])
