/** Audit rules of `secure-headers`: configurations that leave pages unprotected. */
import type { AuditRule } from "../../gateway/hooks/audit.ts";

interface SecureHeadersConfig {
  readonly "content-security-policy": Readonly<Record<string, readonly string[]>>;
  readonly "strict-transport-security": string | false;
}

type Rule = AuditRule<SecureHeadersConfig>;

/** Sources that defeat the purpose of a policy. */
const looseSources = ["'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:", "data:"];

const looseScripts: Rule = {
  id: "loose-scripts",
  severity: "medium",
  summary: "A content security policy allows scripts from anywhere.",
  incident:
    "The script of a chat window, served by a third party, was changed to copy the cards of 40,000 customers (Ticketmaster, 2018).",
  remedy: "Name the hosts of your scripts, or `'self'`, with nonces or hashes for inline scripts.",
  check: ({ "content-security-policy": policy }) => {
    const directive = policy["script-src"] ? "script-src" : "default-src";
    return (policy[directive] ?? []).flatMap((source, index) => {
      if (!looseSources.includes(source)) return [];
      return [
        {
          at: ["content-security-policy", directive, index],
          message: `${directive} with ${source} allows scripts from anywhere`,
          remedy: "name hosts, nonces or hashes",
        },
      ];
    });
  },
};

/** In seconds. */
const minMaxAge = 30 * 86_400;

const unpinnedTransport: Rule = {
  id: "unpinned-transport",
  severity: "medium",
  summary: "`Strict-Transport-Security` is off, or shorter than a month.",
  incident:
    "A tool on the same network kept browsers on http by rewriting links to https, and read the passwords (sslstrip, 2009).",
  remedy: "Leave `strict-transport-security` out, which is half a year, or write a `max-age` of a month at least.",
  check: ({ "strict-transport-security": header }) => {
    const seconds = header === false ? 0 : Number(/max-age="?(\d+)/i.exec(header)?.[1] ?? 0);
    if (seconds >= minMaxAge) return [];
    return [
      {
        at: ["strict-transport-security"],
        message: header === false ? "browsers may use http" : `browsers are held to https for ${seconds}s only`,
        remedy: "leave it out: half a year is the default",
      },
    ];
  },
};

export const rules: readonly Rule[] = [looseScripts, unpinnedTransport];
