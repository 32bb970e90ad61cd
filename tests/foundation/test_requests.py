"""What the API kit takes and refuses: bodies, parameters, preferences, conditions."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.test import RequestFactory
from rest_framework.request import Request
from rest_framework.test import APIClient

from foundation.api import etags, waiting
from foundation.api.rendering import MAX_NESTING, JsonParser
from foundation.errors import PreconditionFailed, PreconditionRequired
from foundation.wsgi import Handler
from tests.foundation.conftest import ANNA
from tests.foundation.test_problems import problem_of

ECHO = "/api/v1/echo"


def post(client: Any, path: str, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
    return client.generic("POST", path, body, content_type=content_type, headers=headers)


def send(client: APIClient, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
    return post(client, ECHO, body, content_type, **headers)


def through_wsgi(method: str, target: str, body: bytes, content_type: str) -> tuple[str, bytes]:
    """Status line and body of the WSGI application's answer."""
    path, _, query = target.partition("?")
    heard: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_MEMBER": ANNA,
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
    }

    def start(status: str, headers: Any, exc_info: Any = None, /) -> Callable[[bytes], object]:
        heard.append(status)
        return heard.append

    answer = Handler()(environ, start)
    return heard[0], b"".join(answer)


# The whole handler closes connections that earlier tests left, and asks them first how they are.
@pytest.mark.django_db
class TestJsonBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b'{"name": "\xff"}',
            b'{"name": "\\ud800"}',
            b'{"name": NaN}',
            b'{"name": "x"} trailing',
            b'\xef\xbb\xbf{"name": "x"}',
            '{"name": "x"}'.encode("utf-16"),
            b"[" * 100_000,
            b"[" * 1_000 + b"]" * 1_000,
            b'{"a":' * 300 + b"1" + b"}" * 300,
        ],
    )
    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k1"}])
    def test_that_are_not_sound_json_are_malformed(
        self, anna: APIClient, body: bytes, headers: dict[str, str]
    ) -> None:
        problem_of(send(anna, body, **headers), 400, "malformed_request")

    def test_may_nest_as_deep_as_anything_needs(self) -> None:
        depth = MAX_NESTING
        body = b"[" * depth + b"]" * depth
        assert orjson.dumps(JsonParser().parse(io.BytesIO(body))) == body

    def test_may_have_many_brackets_side_by_side(self) -> None:
        body = orjson.dumps([{"a": [1]}] * 500)
        assert len(JsonParser().parse(io.BytesIO(body))) == 500

    @pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true"])
    def test_that_are_no_object_are_invalid(self, anna: APIClient, body: bytes) -> None:
        problem_of(send(anna, body), 400, "invalid_request")

    def test_tell_every_problem_at_once_with_pointers(self, anna: APIClient) -> None:
        body = orjson.dumps(
            {
                "name": 7,
                "count": "12",
                "sold": "yes",
                "price": {"amount": 1.5, "currency": "XXX", "vat": 1},
                "parts": [{"name": "ok"}, {"name": "much too long"}],
                "colour": "red",
                "a/b": 1,
            }
        )
        found = problem_of(send(anna, body), 400, "invalid_request")["errors"]
        assert {(problem["pointer"], problem["code"]) for problem in found} == {
            ("/name", "invalid"),
            ("/count", "invalid"),
            ("/sold", "invalid"),
            ("/price/amount", "invalid"),
            ("/price/currency", "invalid_choice"),
            ("/price/vat", "unknown_field"),
            ("/parts/1/name", "max_length"),
            ("/colour", "unknown_field"),
            ("/a~1b", "unknown_field"),
        }

    @pytest.mark.parametrize(
        "body", [b'{"name": "a\\u0000b"}', b'{"name": null}', b'{"name": ""}', b"{}", b'{"name": ["x"]}']
    )
    def test_bad_text(self, anna: APIClient, body: bytes) -> None:
        problem_of(send(anna, body), 400, "invalid_request")

    @pytest.mark.parametrize(
        "count", [b"1.5", b"1e300", b"9007199254740993.0", b"0", b"9" * 40, b"true", b'"1"', b"-1"]
    )
    def test_bad_integers(self, anna: APIClient, count: bytes) -> None:
        problem_of(send(anna, b'{"name": "x", "count": ' + count + b"}"), 400, "invalid_request")

    @pytest.mark.parametrize("count", [b"1.0", b"1e2", b"100"])
    def test_integers_however_written(self, anna: APIClient, count: bytes) -> None:
        assert send(anna, b'{"name": "x", "count": ' + count + b"}").status_code == 201

    def test_half_an_amount_is_none_even_in_a_patch(self, anna: APIClient) -> None:
        answer = anna.patch(ECHO, {"price": {"amount": 5}})
        found = problem_of(answer, 400, "invalid_request")["errors"]
        assert [(problem["pointer"], problem["code"]) for problem in found] == [
            ("/price/currency", "required")
        ]

    def test_empty_body_is_an_object_without_fields(self, anna: APIClient) -> None:
        found = problem_of(send(anna, b""), 400, "invalid_request")["errors"]
        assert [problem["pointer"] for problem in found] == ["/name"]

    def test_verbs_without_a_body_refuse_one(self, anna: APIClient) -> None:
        assert anna.delete(ECHO).status_code == 204
        assert anna.delete(ECHO, {}).status_code == 204
        problem_of(anna.delete(ECHO, {"force": True}), 400, "invalid_request")

    @pytest.mark.parametrize("charset", ["rot13", "idna", "undefined", "hex", "utf-16", "latin-1", "a\0"])
    def test_are_utf_8_whatever_the_content_type_says(self, charset: str) -> None:
        # Through the real door: Django's test client makes its requests without it.
        told = f"application/json; charset={charset}"
        status, answer = through_wsgi("POST", ECHO, b'{"name": "\xc5\xbe"}', told)
        assert (status, orjson.loads(answer)) == ("201 Created", {"name": "ž"})
        status, answer = through_wsgi("GET", f"{ECHO}?q=%C5%BE", b"", told)
        assert (status, orjson.loads(answer)) == ("200 OK", {"q": "ž"})

    def test_with_an_endless_content_type_are_refused(self) -> None:
        status, _ = through_wsgi("POST", ECHO, b"{}", "application/json; a=" + "b" * 20_000)
        assert status.startswith(("400", "415"))


class TestSizes:
    def test_json_that_is_too_large(self, anna: APIClient, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
        problem_of(send(anna, orjson.dumps({"name": "x" * 100})), 413, "content_too_large")

    def test_request_that_is_too_large_is_read_away_and_refused(self, anna: APIClient, settings: Any) -> None:
        settings.MAX_REQUEST_BYTES = 1000
        problem_of(send(anna, b"x" * 1001), 413, "content_too_large")

    def test_body_without_its_length(self, anna: APIClient) -> None:
        answer = anna.generic(
            "POST", ECHO, "", content_type="application/json", headers={"Transfer-Encoding": "chunked"}
        )
        problem_of(answer, 411, "length_required")

    def test_too_many_parameters(self, anna: APIClient) -> None:
        query = "&".join(f"a{i}=1" for i in range(1001))
        problem_of(anna.get(f"{ECHO}?{query}"), 400, "malformed_request")

    def test_body_of_a_plain_view(self, anna: APIClient, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
        answer = post(anna, "/api/v1/plain", b"x" * 101)
        problem_of(answer, 413, "content_too_large")


class TestMultipart:
    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("multipart/form-data", b"--x--\r\n"),
            ("multipart/form-data; boundary=", b"--x--\r\n"),
            ("multipart/form-data; boundary=\xe9".encode("latin-1").decode("latin-1"), b"--x--\r\n"),
            (
                "multipart/form-data; boundary=x",
                b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n'
                b"Content-Transfer-Encoding: base64\r\n\r\n!\r\n--x--\r\n",
            ),
        ],
    )
    def test_that_is_broken(self, anna: APIClient, content_type: str, body: bytes) -> None:
        answer = post(anna, "/api/v1/uploads", body, content_type)
        problem_of(answer, 400, "malformed_request")


class TestParameters:
    def test_are_validated_and_given_to_the_view(self, anna: APIClient) -> None:
        assert anna.get(f"{ECHO}?q=bag&count=3").json() == {"q": "bag", "count": 3}

    @pytest.mark.parametrize(
        ("query", "pointer", "code"),
        [
            ("colour=red", "/colour", "unknown_field"),
            ("count=many", "/count", "invalid"),
            ("q=a%00b", "/q", "null_characters_not_allowed"),
            ("q=a&q=b", "/q", "repeated_parameter"),
            ("%ff=1", "/\ufffd", "unknown_field"),
        ],
    )
    def test_are_refused(self, anna: APIClient, query: str, pointer: str, code: str) -> None:
        found = problem_of(anna.get(f"{ECHO}?{query}"), 400, "invalid_request")["errors"]
        assert [(problem["pointer"], problem["code"]) for problem in found] == [(pointer, code)]

    @pytest.mark.parametrize("query", ["q=%", "q=%zz", "q=%c3%28", "q=%ed%a0%80", "&&=&", "q"])
    def test_odd_encodings_are_no_fault_of_the_server(self, anna: APIClient, query: str) -> None:
        assert anna.get(f"{ECHO}?{query}").status_code in (200, 400)

    def test_of_writes_are_refused_too(self, anna: APIClient) -> None:
        problem_of(anna.post(f"{ECHO}?q=x", {"name": "x"}), 400, "invalid_request")


class TestHeadAndOptions:
    def test_head_is_get_without_a_body(self, anna: APIClient) -> None:
        got, asked = anna.get(f"{ECHO}?q=bag"), anna.head(f"{ECHO}?q=bag")
        assert asked.status_code == 200
        assert asked.content == b""
        assert asked["Content-Type"] == got["Content-Type"]

    def test_options_name_the_methods(self, anna: APIClient) -> None:
        answer = anna.options(ECHO)
        assert answer.status_code == 200
        assert "PATCH" in answer["Allow"]


class TestAnswers:
    def test_are_kept_by_nobody_else(self, anna: APIClient) -> None:
        answer = anna.get(ECHO)
        assert answer["Cache-Control"] == "private, no-cache"
        assert "Authorization" in answer["Vary"]


def asking(**headers: str) -> Request:
    return Request(RequestFactory().get("/", headers=headers))


class TestIfMatch:
    @pytest.mark.parametrize("given", ['"thing-3"', '"other", "thing-3"', "*", ' "thing-3" '])
    def test_names_the_current_version(self, given: str) -> None:
        etags.require_if_match(asking(**{"If-Match": given}), etags.etag_for("thing", 3))

    @pytest.mark.parametrize("given", ['"thing-2"', "thing-3", 'W/"thing-3"', "", '"', '"*"'])
    def test_names_another(self, given: str) -> None:
        with pytest.raises(PreconditionFailed):
            etags.require_if_match(asking(**{"If-Match": given}), etags.etag_for("thing", 3))

    def test_is_missing(self) -> None:
        with pytest.raises(PreconditionRequired):
            etags.require_if_match(asking(), '"thing-3"')

    def test_over_http(self, anna: APIClient) -> None:
        problem_of(anna.put("/api/v1/versions/3"), 428, "if_match_required")
        problem_of(anna.put("/api/v1/versions/3", headers={"If-Match": '"thing-2"'}), 412, "stale_etag")
        assert anna.put("/api/v1/versions/3", headers={"If-Match": '"thing-3"'}).status_code == 200


class TestIfNoneMatch:
    @pytest.mark.parametrize("given", ['"thing-3"', 'W/"thing-3"', '"a", W/"thing-3"', "*"])
    def test_is_304_for_what_the_client_has(self, anna: APIClient, given: str) -> None:
        answer = anna.get("/api/v1/versions/3", headers={"If-None-Match": given})
        assert answer.status_code == 304
        assert answer["ETag"] == '"thing-3"'
        assert answer.content == b""
        assert answer["Cache-Control"] == "private, no-cache"

    @pytest.mark.parametrize("given", ['"thing-2"', "thing-3", ""])
    def test_is_the_whole_answer_for_anything_else(self, anna: APIClient, given: str) -> None:
        answer = anna.get("/api/v1/versions/3", headers={"If-None-Match": given})
        assert answer.status_code == 200
        assert answer["ETag"] == '"thing-3"'


class TestPreferWait:
    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("wait=10", 10),
            ("wait=10, respond-async", 10),
            ("respond-async, wait=10", 10),
            ("respond-async,WAIT = 7", 7),
            ('wait="5"', 5),
            ("wait=5; why=hurry", 5),
            ("wait=3, wait=9", 3),
            ("wait=999999", waiting.MAX_WAIT_S),
            ("", 0),
            ("wait", 0),
            ("wait=", 0),
            ("wait=soon", 0),
            ("wait=-1", 0),
            ("wait=1.5", 0),
            ("wait=" + "9" * 500, 0),
            ("nowait=10", 0),
            ("handling=lenient; wait=10", 0),
            ('note="a, wait=10"', 0),
        ],
    )
    def test_says_how_long(self, header: str, seconds: int) -> None:
        assert waiting.prefer_wait(asking(Prefer=header)) == seconds

    def test_is_not_said(self) -> None:
        assert waiting.prefer_wait(asking()) == 0


class TestWaitFor:
    def test_returns_as_soon_as_it_is_done(self) -> None:
        values = iter(range(100))
        assert waiting.wait_for(lambda: next(values), lambda value: value == 2, seconds=5) == 2

    def test_returns_the_last_thing_read_when_the_time_is_up(self) -> None:
        assert waiting.wait_for(lambda: "queued", lambda value: value == "done", seconds=1) == "queued"

    def test_reads_once_when_nobody_waits(self) -> None:
        values = iter([1])
        assert waiting.wait_for(lambda: next(values), lambda value: False, seconds=0) == 1

    def test_does_not_wait_without_a_free_slot(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import threading

        monkeypatch.setattr(waiting, "_slots", threading.BoundedSemaphore(1))
        with waiting._slots:
            values = iter([1])
            assert waiting.wait_for(lambda: next(values), lambda value: False, seconds=20) == 1
        assert waiting.wait_for(lambda: 2, lambda value: True, seconds=20) == 2

    def test_gives_its_slot_back_when_reading_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import threading

        monkeypatch.setattr(waiting, "_slots", threading.BoundedSemaphore(1))
        answers = iter([0])
        with pytest.raises(StopIteration):
            waiting.wait_for(lambda: next(answers), lambda value: False, seconds=5)
        assert waiting._slots.acquire(blocking=False)
