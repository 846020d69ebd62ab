"""Secrets in whatever hosts and containers print, and reports that stay readable."""

from __future__ import annotations

import base64
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clusterlab import redaction
from clusterlab.errors import HostError
from clusterlab.model import load, load_lab
from clusterlab.redaction import REDACTED, Secrets, clean, count
from clusterlab.results import Evidence

ROOT = Path(__file__).parents[2]
PLAY = """\
title: values
containers:
  app: {host: host1, image: shell, environment: {HOST: host1, WEB: web, NOT_SECRET_BY_NAME: sesame-one}}
services:
  web:
    image: web
    environment: [API_TOKEN=sesame-three, "ADDRESS=192.168.98.11"]
    logging: {driver: splunk, options: {ingestion-key: sesame-four, tag: "{{.Name}}"}}
checks:
  - title: a probe's own
    steps:
      - run: {on: host1, image: shell, command: env, environment: {ALSO: sesame-two}}
"""
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----"
BODY = "\n".join(["b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW" for _ in range(5)])


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("docker swarm join --token SWMTKN-1-3pu6hszjas19xyp7ghgosyx9k-8cbpr2is 10.0.0.1", "3pu6hszjas19xyp7"),
        ("password=must", "must"),
        ("token: it", "it"),
        ("secret_spec=hunter2", "hunter2"),
        ("unlock key: SWMKEY-1-7c37Cc8654o6p38HnroywCi19pllOnGtbdZEgtKxZu8", "7c37Cc8654o6p38"),
        (KEY.format(BODY), "b3BlbnNzaC1rZXk"),
        (json.dumps({"key": KEY.format(BODY)}), "b3BlbnNzaC1rZXk"),
        ("-----BEGIN RSA PRIVATE KEY-----\nNov 26 host1 app: " + BODY.replace("\n", "\nNov 26 host1 app: "), "b3BlbnN"),
        ("> Authorization: Basic dXNlcjpodW50ZXIy", "dXNlcjpodW50ZXIy"),
        ('{"Authorization": "Bearer abcdef0123"}', "abcdef0123"),
        ("X-Registry-Auth: eyJ1c2VybmFtZSI6ImEifQ==", "eyJ1c2VybmFtZSI6ImEifQ"),
        ("sending bearer 0123456789abcdef0123", "0123456789abcdef"),
        ("mount -o username=joe,password=hunter2,uid=0", "hunter2"),
        ("volume files with type cifs, device //nas/files, o username=joe,pass=hunter2,vers=3.0", "hunter2"),
        ("docker volume create --opt o=username=joe,pass2=hunter2 files", "hunter2"),
        ("SMTP_PASS=hunter2", "hunter2"),
        ('{"pass": "hunter2", "port": 1}', "hunter2"),
        ("MYSQL_ROOT_PASSWORD=hunter2", "hunter2"),
        ("MYSQL_ROOT_PASSWORD: 'hunter two'", "hunter two"),
        ('{"ClientSecret": "hunter2", "port": 1}', "hunter2"),
        (r'{"output": "{\"db_password\": \"hunter2\"}"}', "hunter2"),
        ("mysqldump --password hunter2 --host db", "hunter2"),
        ("mysqldump --password=hunter2 --host db", "hunter2"),
        ("postgres://joe:hunter2@db/shop", "hunter2"),
        ("GET /?api_key=hunter2&page=1", "hunter2"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N", "eyJzdWIi"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_0123"),
        ("pass\x1b[1mword=hun\x1b[0mter2", "ter2"),
    ],
)
def test_secrets_are_recognised_by_their_form(text: str, secret: str) -> None:
    cleaned = clean(text, Secrets())
    assert secret not in cleaned
    assert count(cleaned) == 1
    assert clean(cleaned, Secrets()) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "user joe may not run commands as root without a password",
        "sudo: a password is required",
        "secrets.token: the key 'driver' is not used by clusterlab",
        "secrets.token.file: gone.txt cannot be read",
        "Permission denied (publickey,password).",
        "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=yes",
        "MYSQL_ROOT_PASSWORD_FILE=/run/secrets/db",
        '{"SecretName": "db", "SecretID": "abc", "Secrets": [{"File": {"Mode": 292}}]}',
        "docker login --password-stdin registry",
        "http://host1:8080/a@b",
        "ssh://joe@host1",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "the tokenizer: 12 words",
        "secret: true",
        "pass: 12 of 14, compass=north",
        "ana ALL=(ALL) NOPASSWD: ALL",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert clean(text, Secrets()) == text


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("cut", [None, -40])
def test_environments_in_reports_of_engines_have_no_values(indent: int | None, cut: int | None) -> None:
    report = {"Config": {"Env": ["A=hunter2", 'B=it "is"] hunter3', "NOTHING"], "Image": "web"}, "Id": "x" * 12}
    cleaned = clean(json.dumps(report, indent=indent)[:cut], Secrets())
    assert "hunter" not in cleaned
    assert "is" not in cleaned.partition("NOTHING")[0]
    assert count(cleaned) == 2
    if cut is None:
        assert json.loads(cleaned)["Config"]["Env"] == [f"A={REDACTED}", f"B={REDACTED}", "NOTHING"]


def test_a_report_of_an_engine_that_is_cut_off_in_a_value() -> None:
    assert clean('{"Env": ["A=one", "B=hun', Secrets()) == f'{{"Env": ["A={REDACTED}", "B={REDACTED}'


def test_values_of_the_play_are_known_in_every_form() -> None:
    secrets = Secrets()
    value = 'it\'s a "pass" / wörd'
    secrets.learn([("GREETING", value)])
    encoded = base64.b64encode(value.encode()).decode()
    for text in (value, json.dumps(value), json.dumps([value], ensure_ascii=False), encoded):
        assert clean(f"<{text}>", secrets).strip('<>[]"') == REDACTED.strip("[]")
    assert "pass" not in clean(json.dumps({"a": value}), secrets)


def test_each_line_of_a_long_value_is_known() -> None:
    secrets = Secrets()
    secrets.learn([("CERT", "first-line-of-it\nsecond-line-of-it")])
    assert clean("12:00 first-line-of-it", secrets) == f"12:00 {REDACTED}"


@pytest.mark.parametrize(
    "value", ["", "yes", "true", "True", "1", "3306", "1.10", "info", "production", "UTC", "localhost"]
)
def test_short_and_common_values_do_not_blank_out_reports(value: str) -> None:
    secrets = Secrets()
    secrets.learn([("MODE", value), ("DB_PASSWORD", value)])
    text = f"{value}: 1 of 3306 yes true info production UTC root"
    assert clean(text, secrets) == clean(text, Secrets())


def test_a_number_is_a_secret_where_its_name_says_so_and_it_stands_alone() -> None:
    secrets = Secrets()
    secrets.learn([("DB_PASSWORD", "482913"), ("secret pin", 777001), ("PORT", "654321"), ("DB_PWD", "54321")])
    text = "482913 and 777001, not 54321 or 654321, nor 1482913"
    assert clean(text, secrets) == f"{REDACTED} and {REDACTED}, not 54321 or 654321, nor 1482913"


def test_names_of_the_lab_stay_readable() -> None:
    secrets = Secrets()
    secrets.learn([("DB_HOST", "mariadb"), ("DB_PASSWORD", "Mariadb")], public=["mariadb"])
    assert clean("mariadb does not answer", secrets) == "mariadb does not answer"


def test_a_word_is_replaced_where_it_stands_alone_and_a_password_anywhere() -> None:
    secrets = Secrets()
    secrets.learn([("DATABASE", "lesson"), ("DB_PASSWORD", "sesame")])
    assert clean("lessons of lesson", secrets) == f"lessons of {REDACTED}"
    assert clean("mysql -psesame", secrets) == f"mysql -p{REDACTED}"


def test_the_values_of_a_loaded_lab_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Secrets()
    monkeypatch.setattr(redaction, "SECRETS", known)
    monkeypatch.setattr(load, "SECRETS", known)
    (tmp_path / "app.yml").write_text(PLAY)
    load_lab(ROOT / "inventory" / "default.yml", ["app"], tmp_path)
    assert count(clean("of the container: sesame-one, of a probe: sesame-two, of the service: sesame-three")) == 3
    assert count(clean("of the service's log: sesame-four, {{.Name}}")) == 1
    assert count(clean("web does not answer on host1 at 192.168.98.11")) == 0


def test_values_are_learned_from_several_threads() -> None:
    known = Secrets()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            pages = [[("X", f"sesame-{page}-{n}-x") for n in range(10)] for page in range(12)]
            list(pool.map(known.learn, pages))  # raises what one of them raised
    finally:
        sys.setswitchinterval(interval)
    assert clean("\n".join(str(value) for page in pages for _, value in page), known).split("\n") == [REDACTED] * 120


def test_evidence_and_errors_are_clean_from_the_beginning() -> None:
    evidence = Evidence(
        "web on host1",
        "curl http://joe:hunter2@web/",
        "contains 'x'",
        "\x1b]52;c;aGk=\x07SWMTKN-1-abc-def",
        output="password=hunter2",
        logs={"journal of host1": "\x1b[2Jtoken: abcdef"},
    )
    assert "hunter2" not in str(evidence)
    assert "\x1b" not in str(evidence)
    assert evidence.redacted == 4
    error = HostError("host1", "banner \x1b]0;owned\x07", detail="password=hunter2", remedy="\u202eevil")
    assert (error.message, error.detail, error.remedy) == ("host1: banner ", f"password={REDACTED}", "evil")
    assert str(error) == error.message


def test_a_hostile_log_takes_no_longer_than_a_plain_one() -> None:
    for piece in ("password", "-----BEGIN RSA PRIVATE KEY-----", "a://", "\x1b]", "\x9d", "eyJaaaaa.", 'token="', "."):
        began = time.monotonic()
        clean(piece * (400_000 // len(piece)), Secrets())
        assert time.monotonic() - began < 5, piece
