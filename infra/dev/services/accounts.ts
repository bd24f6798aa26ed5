/** Sample service of the wallet: balances, transfers, a slow statement, and an event for each booking. */
import { setTimeout as sleep } from "node:timers/promises";
import { readJson, sendJson, serve } from "./serve.ts";

const balances = new Map([
  ["7", 120],
  ["8", 30],
]);
const watchers = new Set<(event: object) => void>();

serve(async (request, response, url) => {
  const customer = request.headers["x-customer"];
  const [, id = "", what] = /^\/accounts\/(\d+)(?:\/(\w+))?$/.exec(url.pathname) ?? [];
  if (url.pathname.endsWith("/transfers") && request.method === "POST") {
    const { from, to, amount } = (await readJson(request)) as { from: string; to: string; amount: number };
    const rest = (balances.get(from) ?? 0) - amount;
    if (!(amount > 0) || rest < 0) return sendJson(response, 422, { error: "not enough money" });
    balances.set(from, rest);
    balances.set(to, (balances.get(to) ?? 0) + amount);
    for (const send of watchers) send({ from, to, amount });
    return sendJson(response, 201, { from, to, amount, by: customer });
  }
  if (what === "statement") {
    await sleep(5_000);
    return sendJson(response, 200, { account: id, bookings: [] });
  }
  if (what === "events") {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    const send = (event: object) => response.write(`data: ${JSON.stringify(event)}\n\n`);
    send({ account: id, balance: balances.get(id) ?? 0 });
    watchers.add(send);
    response.on("close", () => watchers.delete(send));
    return;
  }
  const balance = balances.get(id);
  return balance === undefined
    ? sendJson(response, 404, { error: `no account ${id}` })
    : sendJson(response, 200, { account: id, balance, customer });
});
