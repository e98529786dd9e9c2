"""What owners put into secrets: generators of values by class. All are seeded, and each value holds a canary."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from urllib.parse import quote

from support.canary import secret

WORDS = [
    "db",
    "Lager",
    "größe",
    "naïve",
    "東京",
    "✓",
    "O'Neil",
    "a b",
    "50%",
    "x/y",
    "q?r",
    "h#h",
    "tab\tbed",
    'qu"ote',
    "\\n",
]
Make = Callable[[random.Random], str]


def word(rng: random.Random) -> str:
    return f"{rng.choice(WORDS)}{rng.randrange(10_000)}"


def password(rng: random.Random) -> str:
    return f"{secret('vault')}{word(rng)}"


def quoted(text: str) -> str:
    return quote(text, safe="")


def host(rng: random.Random) -> str:
    return f"Db-{rng.randrange(1000)}.Example.com"


def uri(rng: random.Random) -> str:
    scheme = rng.choice(["postgres", "postgresql", "mysql", "google-cloud-platform", "wasb", "http", "fs"])
    return f"{scheme}://user:{quoted(password(rng))}@{host(rng)}:{rng.randrange(1, 65536)}/{quoted(word(rng))}"


def uri_with_query(rng: random.Random) -> str:
    return f"{uri(rng)}?a={quoted(word(rng))}&b=%2541+%20&c={quoted(quoted(word(rng)))}&empty="


def uri_with_extra(rng: random.Random) -> str:
    extra = json.dumps({"account_key": password(rng), "nested": {"n": [1, None]}})
    return f"wasb://acct@{host(rng)}/?__extra__={quoted(extra)}"


def uri_with_raw_letters(rng: random.Random) -> str:
    return f"http://nutzer:{secret('vault').replace('/', '')}grüße@höst{rng.randrange(100)}.example/päth?wört=✓"


def uri_in_uri(rng: random.Random) -> str:
    inner = f"127.0.0.1%3A{rng.randrange(1, 65536)}%2Fdevstore"
    return f"wasb://http://acct@{inner}/?sas_token={quoted('sig=' + password(rng))}"


def uri_without_anything(rng: random.Random) -> str:
    return rng.choice(["sqlite:///tmp/x.db", "fs://", "aws://", "http://h", "ssh://u@h"])


def connection(rng: random.Random) -> dict[str, object]:
    return {
        "conn_type": rng.choice(["wasb", "postgres", "my-sql"]),
        "description": word(rng),
        "host": word(rng),
        "login": word(rng),
        "password": password(rng),
        "schema": word(rng),
        "port": rng.choice([5432, "5432", None]),
        "extra": {"account_key": password(rng), "n": 1.5, "list": [True]},
    }


def json_all_keys(rng: random.Random) -> str:
    return json.dumps(connection(rng), indent=rng.choice([None, 0, 2]), ensure_ascii=rng.choice([True, False]))


def json_extra_as_text(rng: random.Random) -> str:
    return json.dumps({"conn_type": "wasb", "extra": json.dumps({"sas_token": "?sv=1&sig=" + quoted(password(rng))})})


def json_small(rng: random.Random) -> str:
    return rng.choice(['{"conn_type":"http"}', '{ "conn_type" : "http" , "host" : null }', "{}"])


def json_large(rng: random.Random) -> str:
    return json.dumps({"conn_type": "http", "extra": {"blob": password(rng) * 500}})[:-2] + "}}"


def json_unknown_key(rng: random.Random) -> str:
    return json.dumps({**connection(rng), rng.choice(["conn_id", "uri", "sas_token", "Host"]): password(rng)})


def json_broken(rng: random.Random) -> str:
    return rng.choice(["{", '{"conn_type": ', "{'conn_type': 'http'}", '{"a": 1} {"b": 2}', '{"port": "x"}'])


def with_blanks(make: Make) -> Make:
    # All that Python's `strip` takes, whatever a Unicode table says.
    blanks = [" ", "\n", "\r\n", "\t", "\u00a0", "\u2028", "\u3000", "\x0b", "\x0c", "\x1c", "\x1f", "\x85"]

    def padded(rng: random.Random) -> str:
        left, right = ("".join(rng.choices(blanks, k=rng.randrange(1, 4))) for _ in range(2))
        return left + make(rng) + right

    return padded


def uri_broken_over_lines(rng: random.Random) -> str:
    text = uri(rng)
    at = rng.randrange(len(text))
    return text[:at] + rng.choice(["\n", "\r\n", "\t"]) + text[at:]


def uri_thrice(rng: random.Random) -> str:
    return f"wasb://http://x://{quoted(password(rng))}@h/"


def uri_bad_port(rng: random.Random) -> str:
    return f"http://u:{quoted(password(rng))}@h:{rng.choice(['x', '70000', '-1'])}/"


def blanks(rng: random.Random) -> str:
    return rng.choice([" ", "\n", " \t\r\n ", "\u00a0", "\u2003 "])


def storage_connection_string(rng: random.Random) -> str:
    return f"DefaultEndpointsProtocol=https;AccountName=acct;AccountKey={password(rng)};EndpointSuffix=core.windows.net"


def blob_connection_string(rng: random.Random) -> str:
    return f"BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=sv=1&sig={password(rng)}"


def service_bus_connection_string(rng: random.Random) -> str:
    return f"Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=root;SharedAccessKey={password(rng)}"


def sas(rng: random.Random) -> str:
    return f"{rng.choice(['?', ''])}sv=2026-10-06&ss=b&sp=rl&se=2027-01-01T00%3A00%3A00Z&sig={quoted(password(rng))}"


def bare_token(rng: random.Random) -> str:
    return f"eyJhbGciOiJSUzI1NiJ9.{secret('vault')}.{rng.randrange(10**9)}"


def json_no_object(rng: random.Random) -> str:
    return json.dumps(rng.choice([[password(rng)], password(rng), 17, True, None, [{"conn_type": "http"}]]))


def no_authority(rng: random.Random) -> str:
    return rng.choice(["mailto:someone", "u:p@host/db", "google_cloud_platform://x", "1http://x", "://x", "http:/x"])


def byte_order_mark(rng: random.Random) -> str:
    return "\ufeff" + json_all_keys(rng)


def text(rng: random.Random) -> str:
    return " ".join(word(rng) for _ in range(rng.randrange(1, 5))) + password(rng)


def text_lines(rng: random.Random) -> str:
    return f"\n-----BEGIN KEY-----\r\n{password(rng)}\n\n-----END KEY-----\n"


def text_escapes(rng: random.Random) -> str:
    return f"%41%2F%%zz\\u0041&amp;{password(rng)}\x00\x1b[31m"


def text_large(rng: random.Random) -> str:
    return (password(rng) * 1000)[: 24 * 1024 // 4]
