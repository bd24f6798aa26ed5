/**
 * GET and HEAD requests with a body. The runtime accepts them from a socket, but its `Request` constructor
 * rejects them; this subclass allows them under the same rules.
 */

const bodies = new WeakMap<Request, ReadableStream>();

const Native = globalThis.Request;

class SocketRequest extends Native {
  constructor(input: RequestInfo | URL, init?: RequestInit | Request) {
    const from = init instanceof Native ? init : input instanceof Native ? input : undefined;
    const body = from && bodies.get(from);
    if (body && init && !(init instanceof Native) && (init.method !== undefined || init.body != null))
      throw new TypeError("Request with a GET or HEAD method cannot have a body.");
    super(input, init as RequestInit);
    if (body) bodies.set(this, body);
  }
  override get body(): ReadableStream | null {
    return bodies.get(this) ?? super.body;
  }
  override text(): Promise<string> {
    const body = bodies.get(this);
    return body ? new Response(body).text() : super.text();
  }
}

// Installed globally, since front, gates and services create requests from requests.
globalThis.Request = SocketRequest as typeof Request;

export const fromSocket = (url: string, init: RequestInit, body: ReadableStream): Request => {
  const request = new SocketRequest(url, init);
  bodies.set(request, body);
  return request;
};
