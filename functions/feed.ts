/** The Worker that tells gates of overlays, revocations and drains. It goes on when control is gone. */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

const absent = (): Response => new Response(null, { status: 404 });

/** What gates are bound to. `props` say which tier asks. */
export class Read extends WorkerEntrypoint {
  override fetch(): Response {
    return absent();
  }
}

/** What control is bound to. */
export class Write extends WorkerEntrypoint {
  override fetch(): Response {
    return absent();
  }
}

/** What one tier's gates are told. */
export class Feed extends DurableObject {
  override fetch(): Response {
    return absent();
  }
}

export default { fetch: absent };
