/** What stands around a zone's routes: its DNS records, and the certificate that every zone gets. */
import { randomBytes } from "node:crypto";
import { Hono } from "hono";
import * as z from "zod";
import { ApiError, apiErrors } from "../account/api-errors.ts";
import type { DnsRecord } from "../account/dns.ts";
import type { AccountControl } from "../control/account-control.ts";
import { ok, page, parseBody } from "./envelope.ts";

const record = z.strictObject({
  type: z.enum(["A", "AAAA", "CNAME"], "the local cloud keeps A, AAAA and CNAME records"),
  name: z.string().min(1).max(253),
  content: z.string().min(1).max(253),
  proxied: z.boolean().default(false),
  ttl: z.number().optional(),
  comment: z.string().optional(),
});

/** Of all zones. */
const maxRecords = 3500;

/** @param nameOf the name of a zone that a client has looked up, by its id */
export const zoneProducts = (control: AccountControl, nameOf: (id: string) => string | undefined) => {
  const all = () => control.account().dnsRecords ?? [];
  const inZone = (zone: string) => all().filter((it) => it.zone === zone);
  return new Hono()
    .get("/:zone/dns_records", (c) => {
      const { name } = c.req.query();
      const found = inZone(c.req.param("zone")).filter((it) => name === undefined || it.name === name);
      return ok(c, page(c, found.map(recordView)));
    })
    .post("/:zone/dns_records", async (c) => {
      const { type, name, content, proxied } = await parseBody(c, record);
      if (all().length >= maxRecords) throw new ApiError(400, 81045, "Record quota exceeded.");
      const added: DnsRecord = {
        ...{ id: randomBytes(16).toString("hex"), zone: c.req.param("zone"), type, name, content, proxied },
      };
      await control.setDnsRecords([...all(), added]);
      return ok(c, recordView(added));
    })
    .delete("/:zone/dns_records/:id", async (c) => {
      const { zone, id } = c.req.param();
      if (!inZone(zone).some((it) => it.id === id)) throw apiErrors.noRecord();
      await control.setDnsRecords(all().filter((it) => it.id !== id));
      return ok(c, { id });
    })
    .get("/:zone/ssl/certificate_packs", (c) => {
      const name = nameOf(c.req.param("zone"));
      if (name === undefined) throw apiErrors.noZone(c.req.param("zone"));
      return ok(c, page(c, [{ id: "universal", type: "universal", status: "active", hosts: [name, `*.${name}`] }]));
    });
};

const recordView = ({ zone: _, ...it }: DnsRecord) => it;
