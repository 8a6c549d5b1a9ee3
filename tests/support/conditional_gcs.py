"""
The emulator of Google Cloud Storage from PyPI, and what it overlooks.

With ``ifGenerationMatch=0`` an upload makes a new object or none: HTTP 412 if there is one by then
(https://cloud.google.com/storage/docs/request-preconditions). One that goes in parts can be cancelled, which is
answered with HTTP 499 (https://cloud.google.com/storage/docs/performing-resumable-uploads#cancel-upload).

    python conditional_gcs.py PORT
"""

from __future__ import annotations

import json
import sys
from functools import partial
from http.server import HTTPServer
from urllib.parse import parse_qs, urlsplit

from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

_NOT_MET = "At least one of the pre-conditions you specified did not hold."


class _ConditionNotMetError(Exception):
    pass


class _ConditionalStorage(Storage):
    #: What the request asks for that is being answered; there is one at a time.
    only_new = False

    def create_file(self, bucket_name, file_name, *args, **kwargs):
        if self.only_new and file_name in self.objects.get(bucket_name, {}):
            raise _ConditionNotMetError
        super().create_file(bucket_name, file_name, *args, **kwargs)


class _ConditionalHandler(RequestHandler):
    def do_POST(self):  # noqa: N802 - http.server's word
        self.storage.only_new = parse_qs(urlsplit(self.path).query).get("ifGenerationMatch") == ["0"]
        try:
            super().do_POST()
        except _ConditionNotMetError:
            self._refuse()

    def do_DELETE(self):  # noqa: N802 - http.server's word
        upload_id = parse_qs(urlsplit(self.path).query).get("upload_id")
        if not upload_id:
            super().do_DELETE()
            return
        self.storage.delete_resumable_file_obj(upload_id[0])
        self.send_response(499)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _refuse(self):
        reason = {"message": _NOT_MET, "domain": "global", "reason": "conditionNotMet"}
        body = json.dumps({"error": {"code": 412, "message": _NOT_MET, "errors": [reason]}}).encode()
        self.send_response(412)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    storage = _ConditionalStorage(use_memory_fs=True)
    HTTPServer(("127.0.0.1", int(sys.argv[1])), partial(_ConditionalHandler, storage)).serve_forever()
