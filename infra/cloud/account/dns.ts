/** DNS records of zones. They are kept and listed; the local cloud's edge finds a Worker by the Host header alone. */

export interface DnsRecord {
  readonly id: string;
  /** The zone's id. */
  readonly zone: string;
  readonly type: "A" | "AAAA" | "CNAME";
  /** A host, or a wildcard such as `*.acme.example`. */
  readonly name: string;
  readonly content: string;
  /** Whether requests reach the platform's edge. */
  readonly proxied: boolean;
}
