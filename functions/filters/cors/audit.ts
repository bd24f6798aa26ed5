/** Audit rules of `cors`: configurations that let unintended pages read responses. */
import type { AuditRule } from "../../gateway/hooks/audit.ts";
import { isLoopback } from "../../manifest/addresses.ts";

interface CorsConfig {
  readonly origins: readonly string[];
  readonly credentials: boolean | "everybody";
}

type Rule = AuditRule<CorsConfig>;

const everybodysCookies: Rule = {
  id: "everybodys-cookies",
  severity: "high",
  summary: "Pages of all origins may read responses to requests with the user's cookies.",
  incident:
    "A Bitcoin exchange let pages of all origins read with the user's cookies: any page could take the API key of a logged-in visitor, and with it the coins (Kettle, 2016).",
  remedy: "Name the origins that need it, and write `credentials: true`.",
  check: ({ credentials }) =>
    credentials === "everybody"
      ? [
          {
            at: ["credentials"],
            message: "any page can act as the user who opens it, and read the responses",
            remedy: "name the origins, with `credentials: true`",
          },
        ]
      : [],
};

const plaintextOrigin: Rule = {
  id: "plaintext-origin",
  severity: "medium",
  summary: "Pages that are delivered without encryption may read responses.",
  incident:
    "Sites that let their own `http` pages read what was protected by https undid https: anybody on the same network could inject a script into such a page (Kettle, 2016).",
  remedy: "Name origins with https only.",
  check: ({ origins }) =>
    origins.flatMap((origin, index) => {
      if (!origin.startsWith("http://") || isLoopback(origin)) return [];
      return [
        {
          at: ["origins", index],
          message: `whoever controls the network between a user and ${origin} can read responses`,
          remedy: `https://${origin.slice("http://".length)}`,
        },
      ];
    }),
};

export const rules: readonly Rule[] = [everybodysCookies, plaintextOrigin];
