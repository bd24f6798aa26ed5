/** HTTP messages as clients and services really send them. */
import { answers } from "./rows/answers.ts";
import { bodies } from "./rows/bodies.ts";
import { claimRows } from "./rows/claims.ts";
import { connectionRows } from "./rows/hop-by-hop.ts";
import { hosts } from "./rows/hosts.ts";

export const rows = [...bodies, ...connectionRows, ...hosts, ...answers, ...claimRows];
