/** The platform's cache in front of services, and the Location headers of services. */
import { expect } from "vitest";
import type { Gateway, GatewayRow } from "./gateway.ts";

const file = "Cloudflare, Default cache behavior";
const nginx = "nginx, proxy_redirect; Apache, ProxyPassReverse";

const public_ = ({ port }: Gateway) => `http://localhost:${port}`;

/** A field of the answer where the service says this. */
const said = async (gateway: Gateway, path: string, value: string, field = "location", status = "302") => {
  const headers = { [`answer-${field}`]: value, "x-status": status };
  return (await gateway.ask(`GET /places/${path}`, { headers })).headers[field];
};

/** @param cases what the service says of itself or another, and what the client gets; `S` is the service, `P` the public origin */
const locationHeader =
  (path: string, cases: Readonly<Record<string, string>>, field?: string, status?: string): GatewayRow["holds"] =>
  async (gateway) => {
    const whole = (text: string) => text.replaceAll("{S}", gateway.service).replaceAll("{P}", public_(gateway));
    for (const [value, expected] of Object.entries(cases))
      expect([value, await said(gateway, path, whole(value), field, status)]).toEqual([value, whole(expected)]);
  };

export const caches: readonly GatewayRow[] = [
  {
    it: "a file of one customer does not answer the next: no static extension is taken from the platform's cache",
    authority: file,
    holds: async (gateway) => {
      for (const path of ["/places/same/statement.pdf", "/places/same/export.csv", "/places/same/a.jpg?x=1"]) {
        const [alice, bob] = [
          await gateway.ask(`GET ${path}`, { headers: { cookie: "sid=alice" } }),
          await gateway.ask(`GET ${path}`, { headers: { cookie: "sid=bob" } }),
        ];
        expect(alice.body).not.toBe(bob.body);
        expect([alice.headers["cf-cache-status"], bob.headers["cf-cache-status"]]).toEqual([undefined, undefined]);
      }
    },
  },
  {
    it: "nor where the service says that it may be kept",
    authority: "Cloudflare, Origin Cache Control",
    holds: async (gateway) => {
      const ask = () =>
        gateway.ask("GET /places/same/logo.png", { headers: { "answer-cache-control": "public, max-age=600" } });
      const [first, second] = [await ask(), await ask()];
      expect(first.body).not.toBe(second.body);
      expect(second.headers["cache-control"]).toBe("public, max-age=600");
    },
  },
  {
    it: "nor where the request is signed, or a copy of it goes to a mirror",
    authority: file,
    holds: async (gateway) => {
      for (let again = 1; again <= 2; again++) {
        await gateway.ask("GET /files/signed/a.pdf");
        expect(gateway.times("/files/signed/a.pdf")).toBe(again);
        await gateway.ask("GET /files/mirrored/a.pdf");
        await expect.poll(() => gateway.times("/copy/files/mirrored/a.pdf")).toBe(again);
      }
    },
  },
  {
    it: "the service sees no cache headers that the client did not send, and those that it did",
    authority: "RFC 9111, 5.2.1 and 5.4; cloudflare/workerd, cache: no-store adds both",
    holds: async (gateway) => {
      await gateway.ask("GET /places/same/a.pdf");
      expect([gateway.seen().headers["cache-control"], gateway.seen().headers.pragma]).toEqual([undefined, undefined]);
      await gateway.ask("GET /places/same/a.pdf", { headers: { "cache-control": "max-age=0" } });
      expect([gateway.seen().headers["cache-control"], gateway.seen().headers.pragma]).toEqual([
        "max-age=0",
        undefined,
      ]);
    },
  },
];

export const locations: readonly GatewayRow[] = [
  {
    it: "a redirect to the service's own address leads back to the gate, under the tier's base",
    authority: nginx,
    holds: locationHeader("orders/7", {
      "{S}/api/orders/8": "{P}/places/orders/8",
      "{S}/api/orders/8?a=1&b=%2F#part": "{P}/places/orders/8?a=1&b=%2F#part",
      "{S}/api/login": "{P}/places/login",
      "{S}/api": "{P}/places",
    }),
  },
  {
    it: "a path that lies outside what the route maps keeps its own, at the public origin",
    authority: nginx,
    holds: locationHeader("transfers", { "{S}/elsewhere": "{P}/elsewhere", "{S}/apiary": "{P}/apiary" }),
  },
  {
    it: "a renamed resource: what the service made lies under the public name",
    authority: "RFC 9110, 15.3.2",
    holds: locationHeader("transfers", { "{S}/api/payments/9": "{P}/places/transfers/9" }, "location", "201"),
  },
  {
    it: "a path alone is the service's own, and is mapped as well",
    authority: "RFC 9110, 10.2.2: relative to the target URI",
    holds: locationHeader("orders/7", { "/api/orders/8?x=1": "/places/orders/8?x=1", "/login": "/login" }),
  },
  {
    it: "a relative reference that leads to the right place already stays as it is",
    authority: "RFC 3986, 5.2",
    holds: locationHeader("orders/7", {
      "8": "8",
      "?page=2": "?page=2",
      "#part": "#part",
      "../orders/8": "../orders/8",
    }),
  },
  {
    it: "a foreign address, another scheme and what is no URL stay as they are, byte for byte",
    authority: nginx,
    holds: locationHeader("orders/7", {
      "https://Login.example/authorize?redirect_uri={S}/api/x":
        "https://Login.example/authorize?redirect_uri={S}/api/x",
      "https://localhost.example/api/orders/8": "https://localhost.example/api/orders/8",
      "http://localhost:1/api/orders/8": "http://localhost:1/api/orders/8",
      "app://orders/8": "app://orders/8",
      "mailto:a@b.example": "mailto:a@b.example",
      "http://[": "http://[",
    }),
  },
  {
    it: "a service that does not know of TLS ahead of it, or leaves the scheme out, is meant all the same",
    authority: "RFC 3986, 4.2; nginx, proxy_redirect with a variable scheme",
    holds: async (gateway) => {
      const { host } = new URL(gateway.service);
      for (const own of [`https://${host}`, `//${host}`, `http://LOCALHOST:${new URL(gateway.service).port}`])
        expect(await said(gateway, "orders/7", `${own}/api/orders/8`)).toBe(`${public_(gateway)}/places/orders/8`);
    },
  },
  {
    it: "a path that begins with two slashes becomes no other host",
    authority: "CWE-601; RFC 3986, 4.2",
    holds: locationHeader("orders/7", {
      "/api//evil.example/": "/places//evil.example/",
      "/.//evil.example/": "/.//evil.example/",
    }),
  },
  {
    it: "Content-Location and Refresh lead back as well; Link is left alone",
    authority: "RFC 9110, 8.7; Apache, ProxyPassReverse; nginx, proxy_redirect",
    holds: async (gateway) => {
      await locationHeader(
        "orders/7",
        { "{S}/api/orders/7.json": "{P}/places/orders/7.json" },
        "content-location",
        "200",
      )(gateway);
      const refresh = {
        "5; url={S}/api/wait": "5; url={P}/places/wait",
        "0;URL='{S}/api/a'": "0;URL='{P}/places/a'",
        "5": "5",
      };
      await locationHeader("orders/7", refresh, "refresh", "200")(gateway);
      await locationHeader(
        "orders/7",
        { '<{S}/api/next>; rel="next"': '<{S}/api/next>; rel="next"' },
        "link",
        "200",
      )(gateway);
    },
  },
  {
    it: "`location: keep` passes the service's address on",
    authority: "nginx, proxy_redirect off",
    holds: locationHeader("kept", { "{S}/api/kept/8": "{S}/api/kept/8", "/api/kept/8": "/api/kept/8" }),
  },
];
