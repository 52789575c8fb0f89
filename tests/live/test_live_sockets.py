"""The suite's own block of sockets: nothing but this machine, and that only where it is marked."""

from __future__ import annotations

import socket
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

OUTSIDE = ("192.0.2.1", 80)  # of TEST-NET-1, RFC 5737: nobody is there
BLOCKED = "A test tried to use socket"


def test_no_socket_without_the_marker() -> None:
    with pytest.warns(UserWarning, match=BLOCKED), pytest.raises(RuntimeError, match=BLOCKED):
        socket.socket()
    with pytest.warns(UserWarning, match=BLOCKED), pytest.raises(RuntimeError, match=BLOCKED):
        socket.getaddrinfo("iam.amazonaws.com", 443)


@pytest.mark.enable_socket
def test_nothing_but_this_machine_with_the_marker() -> None:
    class Hello(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        assert urllib.request.urlopen(url).read() == b"hello"
        thread.join()
    outside = socket.socket()
    with pytest.warns(UserWarning, match=BLOCKED), pytest.raises(RuntimeError, match=BLOCKED):
        outside.connect(OUTSIDE)


def test_a_run_within_a_test_does_not_lift_the_block(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import socket, pytest

        def blocked():
            with pytest.warns(UserWarning), pytest.raises(RuntimeError):
                socket.socket()

        def test_first():
            blocked()

        def test_second():
            blocked()
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=2)
    with pytest.warns(UserWarning, match=BLOCKED), pytest.raises(RuntimeError, match=BLOCKED):
        socket.socket()


def test_a_run_within_a_test_may_have_workers(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one(): pass\ndef test_two(): pass")
    pytester.runpytest_inprocess("-n", "2").assert_outcomes(passed=2)
    pytester.runpytest_subprocess("-n", "2").assert_outcomes(passed=2)
