/** A sample service for `npm run dev`, in the place of your own: it keeps each customer's orders in memory. */
import http from "node:http";

const port = Number(process.argv[2]);
const maxBytes = 64 * 1024;
/** Orders by customer. */
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
  const customer = request.headers["x-customer"];
  const orders = all.get(customer) ?? [];
  const id = /^\/orders\/(\d+)$/.exec(request.url ?? "")?.[1];
  try {
    if (request.method === "POST") {
      const order = { ...(await readJson(request)), id: orders.length + 1 };
      all.set(customer, [...orders, order]);
      send(response, 201, order);
    } else if (id === undefined) send(response, 200, { customer, orders });
    else if (orders[id - 1]) send(response, 200, orders[id - 1]);
    else send(response, 404, { error: `no order ${id}` });
  } catch (error) {
    send(response, 400, { error: error.message });
  }
});
server.on("error", (error) => {
  console.error(`cannot listen on port ${port}: ${error.message}`);
  process.exitCode = 1;
});
server.listen(port, "localhost");
