/** A Worker behind a gate, which says what it was sent. */
export default {
  fetch: async (request: Request): Promise<Response> =>
    Response.json({ method: request.method, body: await request.text() }),
};
