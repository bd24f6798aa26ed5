/** What an account has besides Workers and namespaces. Each change of a list records the whole list. */
import type { DnsRecord } from "./dns.ts";
import type { HeaderRule } from "./header-rules.ts";
import type { ApiToken } from "./tokens.ts";

/** Each is absent before its first entry. */
export interface AccountLists {
  /** Of all zones, in the order in which they apply. */
  readonly headerRules?: readonly HeaderRule[];
  /** API tokens besides the local cloud's own. */
  readonly tokens?: readonly ApiToken[];
  /** Of all zones. */
  readonly dnsRecords?: readonly DnsRecord[];
}
