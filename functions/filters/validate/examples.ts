/** Examples of requests for each code of `validate`. */
import type { CodeExample, CodeExamples } from "../../gateway/hooks/examples.ts";

const checked = (send: string, of: "body" | "filter" = "body"): CodeExample => ({
  filters: `- body-limit: 1KiB
- validate:${of === "filter" ? " #!" : ""}
    body: { type: object }${of === "body" ? " #!" : ""}
`,
  method: "POST",
  step: `send: ${send}`,
});
const json = "headers: { content-type: application/json }";

export const examples = (): CodeExamples => ({
  "parameters-invalid": {
    filters: `- body-limit: 1KiB
- validate:
    query: { type: object, properties: { limit: { type: integer } } } #!
`,
    step: "send: GET /a?limit=many",
  },
  "body-missing": checked("POST /a"),
  "body-malformed": checked(`{ request: POST /a, ${json}, text: "{" }`),
  "body-invalid": checked("{ request: POST /a, json: [1] }"),
  "content-type-unsupported": checked("{ request: POST /a, text: x }"),
  "body-too-large": checked(`{ request: POST /a, ${json}, size: 2KiB, stream: unannounced }`, "filter"),
  "body-incomplete": checked("{ request: POST /a, json: { a: 1 }, stream: broken }", "filter"),
  "body-late": checked("{ request: POST /a, json: { a: 1 }, stream: stalled }", "filter"),
});
