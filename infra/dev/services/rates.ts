/** Sample Worker of exchange rates, which the gate calls by a service binding. */
const rates: Readonly<Record<string, number>> = { EUR: 1, USD: 1.08, CNY: 7.8 };

export default {
  fetch(request: Request): Response {
    const { pathname } = new URL(request.url);
    const currency = pathname.split("/").at(-1) ?? "";
    const rate = rates[currency];
    if (request.method === "POST") return Response.json({ refreshed: true });
    return rate === undefined
      ? Response.json({ error: `no rate for ${currency}` }, { status: 404 })
      : Response.json({ base: "EUR", currency, rate });
  },
};
