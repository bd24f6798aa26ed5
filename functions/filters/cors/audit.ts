/** What in the configuration of `cors` lets pages read that nobody meant to. */
import type { AuditRule } from "../../gateway/hooks/audit.ts";
import { isLoopback } from "../../manifest/addresses.ts";

interface Granted {
  readonly origins: readonly string[];
  readonly credentials: boolean | "everybody";
}

type Rule = AuditRule<Granted>;

const everybodysCookies: Rule = {
  id: "everybodys-cookies",
  severity: "high",
  summary: "Any page in the world may read what a user's cookies open.",
  incident:
    "An exchange of bitcoins let pages of all origins read with the user's cookies: any page could take the API key of who looked at it, and with it the coins (Kettle, 2016).",
  remedy: "Name the origins that need it, and write `credentials: true`.",
  check: ({ credentials }) =>
    credentials === "everybody"
      ? [
          {
            at: ["credentials"],
            message: "any page acts here as the user who looks at it, and reads the answers",
            remedy: "name the origins, with `credentials: true`",
          },
        ]
      : [],
};

const plaintextOrigin: Rule = {
  id: "plaintext-origin",
  severity: "medium",
  summary: "Pages that anybody on the way can change may read responses.",
  incident:
    "Sites that let their own `http` pages read what stood behind https undid https: whoever sat in the same network wrote a script into such a page (Kettle, 2016).",
  remedy: "Name origins with https only.",
  check: ({ origins }) =>
    origins.flatMap((origin, index) => {
      if (!origin.startsWith("http://") || isLoopback(origin)) return [];
      return [
        {
          at: ["origins", index],
          message: `whoever sits between a reader and ${origin} reads along`,
          remedy: `https://${origin.slice("http://".length)}`,
        },
      ];
    }),
};

export const rules: readonly Rule[] = [everybodysCookies, plaintextOrigin];
