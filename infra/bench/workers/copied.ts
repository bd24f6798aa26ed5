/** The minimum of a gateway that edits headers: one copy of each message. */
export default {
  async fetch(request: Request): Promise<Response> {
    const forwarded = new Request(request);
    forwarded.headers.set("x-gateway", "1");
    const response = await fetch(forwarded);
    const copy = new Response(response.body, response);
    copy.headers.set("x-gateway", "1");
    return copy;
  },
};
