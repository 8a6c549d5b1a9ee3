"""One account, read from real Airflow connections in every form that Airflow has for them."""

from __future__ import annotations

import json
import pickle

import pytest
from airflow.sdk import Connection

from seedance_provider.api.protocol import DEFAULT_BASE_URL
from seedance_provider.hooks.connection_settings import ConnectionSettings, ConnectionSettingsError

KEY = "sk-test-3f9a"
VENDOR = "https://kinovi.ai/api/v1"
EMULATOR = "http://127.0.0.1:8080/api/v1"


def from_form(**fields):
    """As the form of the UI saves it, where what is not filled in is an empty text."""
    blank = {"host": "", "schema": "", "login": "", "password": KEY, "extra": ""}
    return Connection(conn_id="seedance_default", conn_type="seedance", **blank | fields)


def from_uri(rest):
    return Connection.from_uri(f"seedance://{rest}", conn_id="seedance_default")


def from_json(**fields):
    return Connection.from_json(
        json.dumps({"conn_type": "seedance", "password": KEY} | fields), conn_id="seedance_default"
    )


def settings_of(connection):
    return ConnectionSettings.from_connection(connection)


def refusal(connection):
    with pytest.raises(ConnectionSettingsError) as caught:
        settings_of(connection)
    assert KEY not in str(caught.value)
    return str(caught.value)


#: Each address, and all the ways to write it.
SPELLINGS = {
    VENDOR: {
        "form, nothing but the key": from_form(),
        "form, spaces only": from_form(host="  ", schema=" "),
        "form, whole address": from_form(host=VENDOR),
        "form, with a slash at the end": from_form(host=f"{VENDOR}/"),
        "form, with spaces around": from_form(host=f" {VENDOR} "),
        "form, without a protocol": from_form(host="kinovi.ai/api/v1"),
        "form, protocol in schema": from_form(host="kinovi.ai/api/v1", schema="https"),
        "form, path in schema": from_form(host="https://kinovi.ai", schema="api/v1"),
        "form, path in schema with slashes": from_form(host="https://kinovi.ai/", schema="/api/v1/"),
        "form, a port of 0": from_form(host=VENDOR, port=0),
        "form, without a path": from_form(host="https://kinovi.ai"),
        "form, without a path, with a slash": from_form(host=" https://kinovi.ai/ "),
        "form, name only": from_form(host="kinovi.ai"),
        "form, half of the path": from_form(host="https://kinovi.ai/api/"),
        "form, an endpoint": from_form(host=f"{VENDOR}/jobs/createTask"),
        "form, an endpoint with a slash": from_form(host=f"{VENDOR}/jobs/recordInfo/"),
        "form, an endpoint with a query": from_form(host=f"{VENDOR}/jobs/recordInfo?taskId=task_a"),
        "form, endpoint of uploads": from_form(host=f"{VENDOR}/uploads"),
        "form, folder of the endpoints": from_form(host=f"{VENDOR}/jobs"),
        "form, an endpoint in schema": from_form(host="https://kinovi.ai", schema="api/v1/jobs/createTask"),
        "uri, nothing but the key": from_uri(f":{KEY}@"),
        "uri, name only": from_uri(f":{KEY}@kinovi.ai"),
        "uri, nothing but the key and a slash": from_uri(f":{KEY}@/"),
        "uri, quoted path": from_uri(f":{KEY}@kinovi.ai/api%2Fv1"),
        "uri, path": from_uri(f":{KEY}@kinovi.ai/api/v1"),
        "uri, protocol": from_uri(f"https://:{KEY}@kinovi.ai/api/v1"),
        "uri, protocol and quoted path": from_uri(f"https://:{KEY}@kinovi.ai/api%2Fv1"),
        "uri, whole address quoted": from_uri(f":{KEY}@https%3A%2F%2Fkinovi.ai%2Fapi%2Fv1"),
        "json, nothing but the key": from_json(),
        "json, whole address": from_json(host=VENDOR),
        "json, protocol in schema": from_json(host="kinovi.ai/api/v1", schema="https"),
        "json, nulls": from_json(host=None, schema=None, port=None, extra=None),
    },
    EMULATOR: {
        "form, whole address": from_form(host=EMULATOR),
        "form, port apart": from_form(host="http://127.0.0.1/api/v1", port=8080),
        "form, protocol and port apart": from_form(host="127.0.0.1/api/v1", schema="http", port=8080),
        "form, the port in the host counts": from_form(host=EMULATOR, port=9090),
        "uri, protocol": from_uri(f"http://:{KEY}@127.0.0.1:8080/api/v1"),
        "uri, protocol and quoted path": from_uri(f"http://:{KEY}@127.0.0.1:8080/api%2Fv1"),
        "uri, whole address quoted": from_uri(f":{KEY}@http%3A%2F%2F127.0.0.1%3A8080%2Fapi%2Fv1"),
        "json, whole address": from_json(host=EMULATOR),
        "json, protocol and port apart": from_json(host="127.0.0.1/api/v1", schema="http", port=8080),
        "form, without a protocol": from_form(host="127.0.0.1:8080/api/v1"),
        "form, without protocol and path": from_form(host="127.0.0.1:8080"),
        "form, without a protocol, port apart": from_form(host="127.0.0.1", port=8080),
        "form, without a path": from_form(host="http://127.0.0.1:8080/"),
        "form, an endpoint": from_form(host=f"{EMULATOR}/jobs/createTask"),
        "uri, without protocol and path": from_uri(f":{KEY}@127.0.0.1:8080"),
        "json, without protocol and path": from_json(host="127.0.0.1", port=8080),
        "form, host and port and protocol": from_form(host="127.0.0.1", port=8080, schema="http"),
        "uri, host and port and protocol": from_uri(f":{KEY}@127.0.0.1:8080/http"),
        "uri, protocol without a path": from_uri(f"http://:{KEY}@127.0.0.1:8080"),
        "json, host and port and protocol": from_json(host="127.0.0.1", port=8080, schema="http"),
        "json, port as a text": from_json(host="127.0.0.1/api/v1", schema="http", port="8080"),
    },
    "http://seedance.example:8080": {
        "form, host and port and protocol": from_form(host="seedance.example", port=8080, schema="http"),
        "uri, host and port and protocol": from_uri(f":{KEY}@seedance.example:8080/http"),
        "uri, protocol": from_uri(f"http://:{KEY}@seedance.example:8080"),
        "json, host and port and protocol": from_json(host="seedance.example", port=8080, schema="http"),
    },
}


class TestAddress:
    @pytest.mark.parametrize(
        ("base_url", "connection"),
        [
            pytest.param(base_url, connection, id=f"{base_url}: {form}")
            for base_url, forms in SPELLINGS.items()
            for form, connection in forms.items()
        ],
    )
    def test_every_form_of_a_connection_gives_the_same_settings(self, base_url, connection):
        assert settings_of(connection) == ConnectionSettings(KEY, base_url, "auto")

    @pytest.mark.parametrize("connection", [form for forms in SPELLINGS.values() for form in forms.values()])
    def test_airflows_own_uri_and_json_of_a_connection_give_the_same_settings(self, connection):
        by_uri = Connection.from_uri(connection.get_uri(), conn_id="seedance_default")
        by_json = Connection.from_json(connection.as_json(), conn_id="seedance_default")
        assert settings_of(by_uri) == settings_of(by_json) == settings_of(connection)

    def test_an_empty_connection_means_the_vendors_address(self):
        assert settings_of(from_form()).base_url == DEFAULT_BASE_URL == VENDOR

    @pytest.mark.parametrize(
        ("host", "base_url"),
        [
            ("http://[::1]:8080/api", "http://[::1]:8080/api"),
            ("https://seedance.example/a/b/c", "https://seedance.example/a/b/c"),
            (f'"{VENDOR}"', VENDOR),
            ("localhost:8765", "http://localhost:8765/api/v1"),
            ("[::1]:8765", "http://[::1]:8765/api/v1"),
            ("https://localhost:8080", "https://localhost:8080/api/v1"),
            ("https://127.0.0.1/gateway", "https://127.0.0.1/gateway"),
            ("seedance.example", "https://seedance.example"),
            ("http://10.0.0.1:8765/api/v1/jobs", "http://10.0.0.1:8765/api/v1"),
            ("https://seedance.example/a/jobs/createTask", "https://seedance.example/a"),
            ("https://seedance.example/my-jobs", "https://seedance.example/my-jobs"),
            ("https://seedance2-pro.com", "https://seedance2-pro.com/api/v1"),
            ("https://kinovi.ai/api/v2", "https://kinovi.ai/api/v2"),
        ],
    )
    def test_other_addresses_are_kept(self, host, base_url):
        assert settings_of(from_form(host=host)).base_url == base_url

    @pytest.mark.parametrize(
        "connection",
        [from_form(host="https://a.example", schema="video api/v1"), from_uri(f":{KEY}@a.example/video%20api%2Fv1")],
        ids=["form", "uri"],
    )
    def test_a_path_in_schema_is_quoted(self, connection):
        assert settings_of(connection).base_url == "https://a.example/video%20api/v1"

    @pytest.mark.parametrize(
        ("host", "said"),
        [
            ("ftp://kinovi.ai", f"an http(s) URL is needed. The vendor's API is at {VENDOR}"),
            ("https:/kinovi.ai/api/v1", f"an http(s) URL is needed. The vendor's API is at {VENDOR}"),
            ("https//kinovi.ai/api/v1", f"an http(s) URL is needed. The vendor's API is at {VENDOR}"),
            ("https:kinovi.ai", "an http(s) URL is needed"),
            ("https://kinovi.ai /api/v1", "an http(s) URL is needed"),
            ("https://kinovi.ai\n/api/v1", "an http(s) URL is needed"),
            ("https://kinovi.ai, https://seedance2-pro.com", "an http(s) URL is needed"),
            ("https://kinovi.ai/docs", f"no part of the API. The vendor's API is at {VENDOR}"),
            ("https://kinovi.ai/v1", "no part of the API"),
            ("kinovi.ai/dashboard/api-keys", "no part of the API"),
            ("https://www.kinovi.ai", f"no part of the API. The vendor's API is at {VENDOR}"),
            ("file:///etc/passwd", "an http(s) URL is needed"),
            ("https://", "an http(s) URL is needed"),
            ("https://kinovi.ai:port", "an http(s) URL is needed"),
            ("https://kinovi.ai:99999", "an http(s) URL is needed"),
            ("https://[::1", "an http(s) URL is needed"),
            (f"ftp://:{KEY}@kinovi.ai", "an http(s) URL is needed"),
            (f"https://:{KEY}@kinovi.ai:port", "an http(s) URL is needed"),
            (f"https://:{KEY}@kinovi.ai:99999", "an http(s) URL is needed"),
            (f"https://:{KEY}@[::1", "an http(s) URL is needed"),
            (f"https://:{KEY}@kinovi.ai/api/v1", "holds credentials"),
            (f"https://{KEY}@kinovi.ai/api/v1", "holds credentials"),
            (f"{KEY}@kinovi.ai", "holds credentials"),
        ],
    )
    def test_an_address_that_can_not_work_is_refused(self, host, said):
        assert said in refusal(from_form(host=host))

    def test_an_ipv6_address_in_a_uri_gets_its_brackets_back(self):
        connection = Connection.from_uri(f"seedance://http://:{KEY}@[::1]:8765/api%2Fv1", conn_id="c")
        assert settings_of(connection).base_url == "http://[::1]:8765/api/v1"


class TestKey:
    @pytest.mark.parametrize("connection", [from_form(password=f" {KEY}\n"), from_json(password=f"{KEY} ")])
    def test_space_around_it_is_a_slip_of_copying(self, connection):
        assert settings_of(connection).api_key == KEY

    @pytest.mark.parametrize(
        "connection",
        [
            from_form(password="k/e+y=%@:?#&"),
            from_uri(":k%2Fe%2By%3D%25%40%3A%3F%23%26@kinovi.ai/api/v1"),
            from_json(password="k/e+y=%@:?#&"),
        ],
        ids=["form", "uri", "json"],
    )
    def test_signs_that_a_uri_has_to_quote_arrive(self, connection):
        assert settings_of(connection).api_key == "k/e+y=%@:?#&"

    @pytest.mark.parametrize(
        "connection",
        [from_form(password=""), from_form(password=None), from_form(password=" \n"), from_uri("kinovi.ai/api/v1")],
    )
    def test_a_connection_without_one_is_refused(self, connection):
        assert refusal(connection) == (
            "Connection 'seedance_default' has no API key. Put the account's key into the password of the connection."
        )

    @pytest.mark.parametrize("key", [f"{KEY}\n{KEY}", f"{KEY} {KEY}", f"{KEY}\u00fc", f"{KEY}\0"])
    def test_one_that_no_header_can_carry_is_refused(self, key):
        said = refusal(from_form(password=key))
        assert said.startswith("Connection 'seedance_default': The API key is empty, or has spaces")


class TestOptions:
    @pytest.mark.parametrize(
        "connection",
        [
            from_form(extra='{"wire_format": "models"}'),
            from_uri(f":{KEY}@?wire_format=models"),
            from_uri(f":{KEY}@/?wire_format=models"),
            from_uri(f":{KEY}@kinovi.ai/api/v1?wire_format=models"),
            from_uri(f"https://:{KEY}@kinovi.ai/api/v1?wire_format=models"),
            from_uri(f":{KEY}@?__extra__=%7B%22wire_format%22%3A+%22models%22%7D"),
            from_json(extra={"wire_format": "models"}),
            from_json(extra='{"wire_format": "models"}'),
        ],
    )
    def test_every_form_of_a_connection_gives_the_same_options(self, connection):
        assert settings_of(connection) == ConnectionSettings(KEY, VENDOR, "models")

    @pytest.mark.parametrize(
        ("name", "connection", "value"),
        [
            ("max_credits", from_form(extra='{"max_credits": 500}'), 500),
            ("max_credits", from_form(extra='{"max_credits": "500"}'), 500),
            ("max_credits", from_uri(f":{KEY}@?max_credits=500"), 500),
            ("max_credits", from_json(extra={"max_credits": 500.0}), 500),
            ("typical_seconds", from_form(extra='{"typical_seconds": "60-300"}'), (60, 300)),
            ("typical_seconds", from_form(extra='{"typical_seconds": [60, 300]}'), (60, 300)),
            ("typical_seconds", from_uri(f":{KEY}@?typical_seconds=60-300"), (60, 300)),
            ("typical_seconds", from_json(extra={"typical_seconds": " 60 - 300 "}), (60, 300)),
            ("max_polls_per_second", from_form(extra='{"max_polls_per_second": 2.5}'), 2.5),
            ("max_polls_per_second", from_form(extra='{"max_polls_per_second": "2.5"}'), 2.5),
        ],
    )
    def test_numbers_may_be_texts(self, name, connection, value):
        assert getattr(settings_of(connection), name) == value

    @pytest.mark.parametrize(
        ("name", "default"),
        [("wire_format", "auto"), ("max_credits", None), ("typical_seconds", None), ("max_polls_per_second", 10)],
    )
    @pytest.mark.parametrize("extra", [None, "", "  ", "{}", '{"NAME": null}', '{"NAME": ""}'])
    def test_an_option_that_is_not_set_has_its_default(self, name, default, extra):
        assert getattr(settings_of(from_form(extra=extra and extra.replace("NAME", name))), name) == default

    @pytest.mark.parametrize(
        ("extra", "said"),
        [
            ("{", "extra is not a JSON object"),
            ("[]", "extra is not a JSON object"),
            ('"models"', "extra is not a JSON object"),
            (json.dumps({"api_key": KEY}), "extra holds 'api_key'"),
            ('{"wireformat": "models"}', "extra holds 'wireformat', and the known options are wire_format"),
            (
                '{"wire_format": "newest"}',
                "wire_format is 'newest', and the known formats are auto, quickstart, docs, models",
            ),
            ('{"wire_format": 2}', "wire_format is 2"),
            ('{"wire_format": ["models"]}', "wire_format is ['models']"),
            ('{"wire_format": {}}', "wire_format is {}"),
        ],
    )
    def test_an_option_that_can_not_be_right_is_refused(self, extra, said):
        assert said in refusal(from_form(extra=extra))

    @pytest.mark.parametrize(
        ("name", "needed", "values"),
        [
            ("max_credits", "and a number of credits is needed", ["-1", "true", '"much"', "[500]", "1e999"]),
            (
                "typical_seconds",
                "such as '60-300'",
                ["60", '"60"', '"a-b"', '"300-60"', '"0-60"', "[1, 2, 3]", "[[], {}]", "true"],
            ),
            ("max_polls_per_second", "at least 0.1 is needed", ["0", "0.01", "-1", '"many"', "[1]", "true", "1e999"]),
        ],
    )
    def test_so_is_what_is_no_such_number(self, name, needed, values):
        for value in values:
            said = refusal(from_form(extra=f'{{"{name}": {value}}}'))
            assert f"Connection 'seedance_default': {name} is " in said
            assert needed in said


def test_the_protocol_speaks_for_this_account():
    protocol = ConnectionSettings(KEY, EMULATOR, "models").protocol()
    assert (protocol.api_key, protocol.base_url, protocol.wire_format) == (KEY, EMULATOR, "models")


def test_no_repr_or_str_shows_the_key():
    settings = settings_of(from_form())
    assert KEY not in f"{settings!r} {settings!s} {settings.protocol()!r}"


def test_a_refusal_survives_pickling():
    error = ConnectionSettingsError("Connection 'seedance_default' has no API key.")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(copy), str(copy), vars(copy)) == (ConnectionSettingsError, str(error), vars(error))
