/** A sample service for `npm run dev`, in the place of your own: it keeps the messages to each user in memory. */
import http from "node:http";

const port = Number(process.argv[2]);
const maxBytes = 64 * 1024;
/** Messages by recipient. */
const all = new Map();

const send = (response, status, value) =>
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(value)}\n`);

const readJson = async (request) => {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > maxBytes) throw new Error("the body is too large");
  }
  return JSON.parse(text);
};

const server = http.createServer(async (request, response) => {
  // The gate sets this header, and removes what a client sends by that name.
  const user = request.headers["x-user"];
  const inbox = all.get(user) ?? [];
  const id = /^\/messages\/(\d+)$/.exec(request.url ?? "")?.[1];
  try {
    if (request.method === "POST") {
      const { to, text } = await readJson(request);
      const message = { from: user, text };
      all.set(to, [...(all.get(to) ?? []), message]);
      send(response, 201, { to, ...message });
    } else if (id === undefined) send(response, 200, { user, messages: inbox });
    else if (inbox[id - 1]) send(response, 200, inbox[id - 1]);
    else send(response, 404, { error: `no message ${id}` });
  } catch (error) {
    send(response, 400, { error: error.message });
  }
});
server.on("error", (error) => {
  console.error(`cannot listen on port ${port}: ${error.message}`);
  process.exitCode = 1;
});
server.listen(port, "localhost");
