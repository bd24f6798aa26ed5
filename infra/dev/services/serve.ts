/** Serves a sample service: a port from the command line, JSON responses, and JSON bodies. */
import http from "node:http";

export type Handler = (request: http.IncomingMessage, response: http.ServerResponse, url: URL) => Promise<void> | void;

export const serve = (handle: Handler): http.Server => {
  const port = Number(process.argv[2]);
  const server = http.createServer(async (request, response) => {
    try {
      await handle(request, response, new URL(request.url ?? "/", "http://service"));
    } catch (error) {
      if (!response.headersSent) sendJson(response, 400, { error: (error as Error).message });
    }
  });
  server.on("error", (error) => {
    console.error(`cannot listen on port ${port}: ${error.message}`);
    process.exit(1);
  });
  return server.listen(port, "localhost");
};

export const sendJson = (response: http.ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(value)}\n`);
};

/** @throws if the body is no JSON, or the client broke it off */
export const readJson = async (request: http.IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString() || "{}");
};
