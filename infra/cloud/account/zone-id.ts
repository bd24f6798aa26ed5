/** Ids of zones. Every zone belongs to the account, so an id is made from the name. */
import { createHash } from "node:crypto";

export const zoneId = (name: string): string => createHash("sha256").update(name).digest("hex").slice(0, 32);
