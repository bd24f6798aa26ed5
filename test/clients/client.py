"""Python's urllib. Reads a request from each line and answers with a line: fields between tabs, texts in Base64."""

import base64
import gzip
import sys
import urllib.error
import urllib.request


class Plain(urllib.request.HTTPErrorProcessor):
    """An answer is an answer, whatever its status."""

    def http_response(self, request, response):
        return response


def body(kind, content):
    if kind == "zero":
        return b""
    if kind == "text":
        return content
    if kind == "chunked":
        return iter([content[:5], content[5:]])
    return None


def answer(opener, fields):
    method, url, headers, kind, content, flags = fields[1:7]
    request = urllib.request.Request(url, data=body(kind, base64.b64decode(content)), method=method)
    for header in base64.b64decode(headers).decode().splitlines():
        name, value = header.split(": ", 1)
        request.add_header(name, value)
    if "expects" in flags:
        request.add_header("Expect", "100-continue")
    if "gzip" in flags:
        request.add_header("Accept-Encoding", "gzip")
    with opener.open(request, timeout=20) as response:
        data = response.read()
        if response.headers.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        return response.status, "".join(f"{name}: {value}\n" for name, value in response.headers.items()).encode(), data


opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Plain)
for line in sys.stdin:
    fields = line.rstrip("\n").split("\t")
    try:
        status, headers, data = answer(opener, fields)
    except Exception as failure:  # The table says what has to come of it.
        status, headers, data = "failed", repr(failure).encode(), b""
    print(fields[0], status, base64.b64encode(headers).decode(), base64.b64encode(data).decode(), sep="\t", flush=True)
