/** What in the configuration of `secure-headers` leaves pages unprotected. */
import type { AuditRule } from "../../gateway/hooks/audit.ts";

interface Protection {
  readonly "content-security-policy": Readonly<Record<string, readonly string[]>>;
  readonly "strict-transport-security": string | false;
}

type Rule = AuditRule<Protection>;

/** Sources that let in what the policy is there to keep out. */
const loose = ["'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:", "data:"];

const looseScripts: Rule = {
  id: "loose-scripts",
  severity: "medium",
  summary: "A policy of what pages may load lets scripts of anybody in.",
  incident:
    "The script of a chat window, served by a third party, was changed to copy the cards of 40,000 customers (Ticketmaster, 2018).",
  remedy:
    "Name the hosts of your scripts, or `'self'`, with nonces or hashes where something has to stand in the page.",
  check: ({ "content-security-policy": policy }) => {
    const directive = policy["script-src"] ? "script-src" : "default-src";
    return (policy[directive] ?? []).flatMap((word, index) => {
      if (!loose.includes(word)) return [];
      return [
        {
          at: ["content-security-policy", directive, index],
          message: `${directive} with ${word} lets scripts of anybody in`,
          remedy: "name hosts, nonces or hashes",
        },
      ];
    });
  },
};

const shortestPin = 30 * 86_400;

const unpinnedTransport: Rule = {
  id: "unpinned-transport",
  severity: "medium",
  summary: "Browsers are not told to come by https only, or forget it within a month.",
  incident:
    "A tool in the same network kept browsers on http by changing the links that led to https, and read the passwords (sslstrip, 2009).",
  remedy: "Leave `strict-transport-security` out, which is half a year, or write a `max-age` of a month at least.",
  check: ({ "strict-transport-security": header }) => {
    const seconds = header === false ? 0 : Number(/max-age="?(\d+)/i.exec(header)?.[1] ?? 0);
    if (seconds >= shortestPin) return [];
    return [
      {
        at: ["strict-transport-security"],
        message: header === false ? "browsers may come by http" : `browsers come by https for ${seconds}s only`,
        remedy: "leave it out: half a year is the default",
      },
    ];
  },
};

export const rules: readonly Rule[] = [looseScripts, unpinnedTransport];
