/** The feed Worker: serves overlays and revocations to gates. It keeps serving when control is down. */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { copyForGates, feedStoreOn, messageForGates, parseFeed } from "./feed/entries.ts";
import type { StoredRevocation } from "./gateway/core/ports/revocations.ts";
import type { OverlayEntry } from "./gateway/overlay/overlay.ts";

interface Bindings {
  readonly FEEDS: DurableObjectNamespace<Feed>;
  /** A copy that gates read when this Worker is unavailable. */
  readonly COPY?: KVNamespace;
}

/** The entrypoint for gates. The binding's `props` name the tier. */
export class Read extends WorkerEntrypoint<Bindings, { readonly tier: string }> {
  override async fetch(): Promise<Response> {
    return Response.json(messageForGates(await this.env.FEEDS.getByName(this.ctx.props.tier).read()));
  }
}

/** The entrypoint for control: `/{tier}`. A PUT names the revision that it replaces. */
export class Write extends WorkerEntrypoint<Bindings> {
  override async fetch(request: Request): Promise<Response> {
    const tier = new URL(request.url).pathname.slice(1);
    const feed = this.env.FEEDS.getByName(tier);
    if (request.method !== "PUT") return Response.json(await feed.read());
    const body = await request.json().then(parseFeed).catch(String);
    if (typeof body === "string") return new Response(body, { status: 400 });
    const { revision, entries, revoked } = body;
    const stored = await feed.write(revision, entries, revoked);
    if (!stored) return Response.json(await feed.read(), { status: 412 });
    // The copy is only a fallback, so a failed write is ignored. It expires with its entries.
    await this.env.COPY?.put(`feed/${tier}`, JSON.stringify(copyForGates(stored))).catch(() => {});
    return Response.json(stored);
  }
}

/** Stores the feed of one tier. */
export class Feed extends DurableObject<Bindings> {
  readonly #entries = feedStoreOn(this.ctx.storage, () => Date.now());

  read() {
    return this.#entries.read();
  }

  write(revision: number, entries: readonly OverlayEntry[], revoked?: readonly StoredRevocation[]) {
    return this.#entries.write(revision, entries, revoked);
  }
}

export default { fetch: () => new Response(null, { status: 404 }) };
