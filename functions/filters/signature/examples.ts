/** Examples of requests for each code of `signature`. */
import type { CodeExample, CodeExamples } from "../../gateway/hooks/examples.ts";

const signed = (step: string, more = "", method = "GET"): CodeExample => ({
  filters: `- body-limit: 1KiB
- signature:${more === "" ? " #!" : ""}
    keys: { shop-2026: { secret: PAY_SHOP_KEY, consumer: shop } }
${more}`,
  method,
  step,
});
const sent = (body: string): CodeExample => signed(`as: shop, send: { request: POST /a, ${body} }`, "", "POST");

export const examples = (): CodeExamples => ({
  "signature-missing": signed("send: GET /a"),
  "signature-invalid": signed("as: { name: shop, forged: true }, send: GET /a"),
  "signature-stale": signed("as: { name: shop, signature: { age: 1h } }, send: GET /a", "    window: 2m #!\n"),
  "signature-replayed": signed(
    "as: { name: shop, signature: { nonce: one } }, send: { request: GET /a, repeat: 2 }",
    "    window: 2m #!\n",
  ),
  "replay-unchecked": signed("as: shop, send: GET /a, down: [nonces]", "    timeout: 1s #!\n"),
  "body-too-large": sent("size: 2KiB, stream: unannounced"),
  "body-incomplete": sent("text: abc, stream: broken"),
  "body-late": sent("text: abc, stream: stalled"),
});
