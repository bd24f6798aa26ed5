/** The requests of every client, the right responses, and what a client cannot send. */

export const clients = ["java", "curl", "urllib", "node", "wget"] as const;
export type Client = (typeof clients)[number];

/** `bare` has neither a length nor a coding, and `zero` says that its length is 0. */
export type Body = "none" | "zero" | "bare" | { readonly text: string } | { readonly chunked: string };

export interface ClientCase {
  readonly id: string;
  /** The request and the right answer in a sentence. */
  readonly it: string;
  readonly authority: string;
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Body;
  /** The client waits for 100 (Continue) ahead of the body. */
  readonly expects?: true;
  /** The client accepts gzip, and decodes it. */
  readonly gzip?: true;
  /** Of the request's head, as it leaves the client. */
  readonly wire?: RegExp;
  readonly answer: {
    readonly status: number;
    /** The stable code of a problem that the gate answers. */
    readonly code?: string;
    readonly gets?: Readonly<Record<string, string | null>>;
    /** What the service receives; null headers are not there. Undefined where the gate answers. */
    readonly sees?: { readonly body: string; readonly headers?: Readonly<Record<string, string | null>> };
  };
  /** What a client writes in another way, and why. It is sent all the same, and gets the same answer. */
  readonly otherwise?: Readonly<Partial<Record<Client, string>>>;
  /** Where a client does not hand over the body of the answer, and why. */
  readonly unread?: Readonly<Partial<Record<Client, string>>>;
  /** What a client has no way to send, and why. */
  readonly never?: Readonly<Partial<Record<Client, string>>>;
}

const json = { "content-type": "application/json" };
const order = '{"item":"Größe 7","count":2}';
const long = "x".repeat(7000);

export const requests: readonly ClientCase[] = [
  {
    id: "query",
    it: "a query with a plus, an encoded space and a name that stands twice reaches the service as it is",
    authority: "RFC 3986, 3.4 and 6.2: a plus and %20 are not the same",
    method: "GET",
    target: "/echo?q=a+b%20c%2Bd&q=2&empty=",
    body: "none",
    wire: /^GET \S+\?q=a\+b%20c%2Bd&q=2&empty= /,
    answer: { status: 200, sees: { body: "", headers: { "content-length": null, "transfer-encoding": null } } },
  },
  {
    id: "get-zero",
    it: "a GET with a Content-Length of 0 has no body",
    authority: "RFC 9112, 6.3: the length decides, and 0 is none",
    method: "GET",
    target: "/echo",
    body: "zero",
    wire: /\r\ncontent-length: 0\r\n/i,
    answer: { status: 200, sees: { body: "" } },
  },
  {
    id: "head",
    it: "HEAD has the headers of GET, and no body",
    authority: "RFC 9110, 9.3.2",
    method: "HEAD",
    target: "/echo",
    body: "none",
    answer: { status: 200, gets: { "x-service": "echo" } },
  },
  {
    id: "post-json-expect",
    it: "a POST with JSON that waits for 100 (Continue) reaches the service byte by byte",
    authority: "RFC 9110, 9.3.3 and 10.1.1",
    method: "POST",
    target: "/echo",
    headers: json,
    body: { text: order },
    expects: true,
    wire: /\r\nexpect: 100-continue\r\n/i,
    answer: { status: 200, sees: { body: order, headers: json } },
  },
  {
    id: "post-empty",
    it: "a POST with a Content-Length of 0 has no body, and the service receives the length",
    authority: "RFC 9110, 8.6: a method that gives content a meaning says that there is none",
    method: "POST",
    target: "/echo",
    body: "zero",
    wire: /\r\ncontent-length: 0\r\n/i,
    answer: { status: 200, sees: { body: "", headers: { "transfer-encoding": null } } },
  },
  {
    id: "put-bare",
    it: "a PUT with neither length nor coding has no body, and becomes no chunked one",
    authority: "RFC 9112, 6.3, rule 7",
    method: "PUT",
    target: "/echo",
    body: "bare",
    wire: /^(?!.*\r\n(?:content-length|transfer-encoding):)/is,
    answer: { status: 200, sees: { body: "", headers: { "transfer-encoding": null } } },
    otherwise: {
      java: "HttpClient writes Content-Length: 0 where a PUT has no body",
      urllib: "http.client writes Content-Length: 0 where a PUT has no body",
      wget: "wget writes Content-Length: 0 where a PUT has no body",
    },
  },
  {
    id: "post-chunked",
    it: "a POST in chunks reaches the service as one body",
    authority: "RFC 9112, 7.1",
    method: "POST",
    target: "/echo",
    headers: json,
    body: { chunked: order },
    wire: /\r\ntransfer-encoding: chunked\r\n/i,
    answer: { status: 200, sees: { body: order } },
    never: { wget: "wget reads a body as a whole and has no chunked coding" },
  },
  {
    id: "delete",
    it: "a DELETE without a body is answered 204, and the service sees none",
    authority: "RFC 9110, 9.3.5",
    method: "DELETE",
    target: "/gone",
    body: "none",
    answer: { status: 204, gets: { "x-service": "echo", "x-saw": "DELETE /shop/gone" } },
  },
  {
    id: "preflight",
    it: "a preflight is answered by the gate, with what the route allows",
    authority: "Fetch standard, 3.3.3 (CORS protocol)",
    method: "OPTIONS",
    target: "/echo",
    headers: { origin: "https://app.example", "access-control-request-method": "PUT" },
    body: "none",
    answer: { status: 204, gets: { "access-control-allow-origin": "https://app.example" } },
  },
  {
    id: "gzip-and-large-header",
    it: "a header of 7,000 bytes reaches the service, and its gzip the client",
    authority: "RFC 9110, 5.4 (no limit on fields) and 12.5.3 (Accept-Encoding)",
    method: "GET",
    target: "/echo",
    headers: { "x-large": long },
    body: "none",
    gzip: true,
    wire: /\r\naccept-encoding: [^\r]*gzip/i,
    answer: { status: 200, gets: { "content-encoding": "gzip" }, sees: { body: "", headers: { "x-large": long } } },
  },
  {
    id: "not-found",
    it: "a path that nobody serves is a problem with its code",
    authority: "RFC 9457",
    method: "GET",
    target: "/nowhere",
    body: "none",
    answer: { status: 404, code: "route-unknown", gets: { "content-type": "application/problem+json" } },
  },
  {
    id: "unauthorized",
    it: "a POST without a key is refused, and says how to ask",
    authority: "RFC 9110, 15.5.2",
    method: "POST",
    target: "/private",
    headers: json,
    body: { text: order },
    wire: /\r\ncontent-length: \d+\r\n/i,
    unread: { wget: "wget takes a 401 for the end, and reads no body of it" },
    answer: { status: 401, code: "key-missing", gets: { "content-type": "application/problem+json" } },
  },
];
