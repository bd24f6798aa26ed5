/** The payments that merchants take, and a WebSocket that greets the merchant and echoes. */
import { createHash, randomUUID } from "node:crypto";
import { bodyOf, json, serve } from "./serve.ts";

const payments = new Map<string, object>();

const server = serve(async (request, response, url) => {
  const merchant = request.headers["x-merchant"];
  const id = /\/payments\/([\w-]+)$/.exec(url.pathname)?.[1];
  if (request.method === "POST") {
    const payment = {
      id: randomUUID().slice(0, 8),
      merchant,
      plan: request.headers["x-plan"],
      ...(await bodyOf(request)),
    };
    payments.set(payment.id, payment);
    return json(response, 201, payment);
  }
  const payment = payments.get(id ?? "");
  return payment ? json(response, 200, payment) : json(response, 404, { error: "no such payment" });
});

/** RFC 6455, as much as text frames below 126 bytes need. */
server.on("upgrade", (request, socket) => {
  const accept = createHash("sha1")
    .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  const send = (text: string) =>
    socket.write(Buffer.concat([Buffer.from([0x81, Buffer.byteLength(text)]), Buffer.from(text)]));
  send(`hello ${request.headers["x-merchant"]}`);
  socket.on("error", () => socket.destroy());
  socket.on("data", (frame: Buffer) => {
    if (((frame[0] ?? 0) & 0x0f) === 8) return socket.end();
    const mask = frame.subarray(2, 6);
    send(
      `echo ${frame
        .subarray(6)
        .map((byte, index) => byte ^ (mask[index % 4] ?? 0))
        .toString()}`,
    );
  });
});
