/** Sample service of merchants: payments, and a WebSocket that greets the merchant and echoes. */
import { randomUUID } from "node:crypto";
import { WebSocketServer } from "ws";
import { readJson, sendJson, serve } from "./serve.ts";

const payments = new Map<string, object>();

const server = serve(async (request, response, url) => {
  const merchant = request.headers["x-merchant"];
  const [, id, refund] = /\/payments\/([\w-]+)(\/refunds)?$/.exec(url.pathname) ?? [];
  if (request.method === "POST" && refund)
    return sendJson(response, 201, { refund: id, merchant, ...(await readJson(request)) });
  if (request.method === "POST") {
    const payment = {
      id: randomUUID().slice(0, 8),
      merchant,
      plan: request.headers["x-plan"],
      ...(await readJson(request)),
    };
    payments.set(payment.id, payment);
    return sendJson(response, 201, payment);
  }
  const payment = payments.get(id ?? "");
  return payment ? sendJson(response, 200, payment) : sendJson(response, 404, { error: "no such payment" });
});

new WebSocketServer({ server }).on("connection", (socket, request) => {
  socket.send(`hello ${request.headers["x-merchant"]}`);
  socket.on("message", (message) => socket.send(`echo ${message}`));
  socket.on("error", () => socket.terminate());
});
