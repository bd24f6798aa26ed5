/** Generates the page of spoofable headers: which are removed from requests, and the source of what each means. */

import { spoofableHeaderSources } from "../../functions/gateway/proxy/spoofable-header-sources.ts";
import {
  isAcceptable,
  spoofableHeaders,
  writtenByCloudflare,
} from "../../functions/gateway/proxy/spoofable-headers.ts";
import { type GeneratedFile, generatedNotice } from "../project/generated-files.ts";

export const spoofablePage = (): GeneratedFile => ({
  file: "docs/reference/spoofable-headers.md",
  text: `${generatedNotice}
# Spoofable headers

Proxies, platforms and frameworks inform services by these headers about the client, its request and its way. Any client can write them,
so fronts and gates remove them from requests; what a gate knows itself (\`x-forwarded-for\`, \`x-forwarded-host\`, \`x-forwarded-proto\`, \`x-request-id\`,
\`traceparent\`), it writes afterwards. A name that ends in \`*\` stands for all that begin so. Names with any character but letters, digits and hyphens are
removed too: many a service reads \`x_customer\` and \`x.customer\` as \`x-customer\`.

| by | says | headers | source |
| --- | --- | --- | --- |
${Object.entries(spoofableHeaders)
  .map(([group, headers]) => {
    const { by, says, source, secondHand } = spoofableHeaderSources[group as keyof typeof spoofableHeaders];
    const page = source.startsWith("https:") ? `<${source}>` : `[${source}](../../${source})`;
    const link = secondHand ? `${page} (second hand)` : page;
    return `| ${by} | ${says} | ${headers.map((it) => `\`${it}\``).join(" ")} | ${link} |`;
  })
  .join("\n")}

Sources were looked up in November 2026. Where it says *second hand*, no page of the vendor's was found that names the headers.

Of \`cf-*\`, these stay, since Cloudflare writes them over what a client sent, or since they are signed:
${[...writtenByCloudflare].map((it) => `\`${it}\``).join(" ")} (\`cf-connecting-ip\` goes no further than the gate). Others, such as those of managed
transforms (\`cf-ipcity\`), are a client's word where the transform is off.

## To let one pass

A tier whose services need such a header from clients names it, and no other tier's services are sent it:

\`\`\`yaml
accept-headers: [${["x-http-method-override"].filter(isAcceptable).join(", ")}]
\`\`\`

The services then take it for a client's word. The audit says so (\`accepted-spoofable-header\`), and \`postern diff\` grades it as high. Headers that
the gate writes itself, that are hop-by-hop, or that steer the product cannot be accepted. A filter may set any header that the gate does not own, as
\`headers: { request: { set: { x-real-ip: "{client.ip}" } } }\` does: it runs behind the removal.

## Answers

No service may answer \`postern-*\`, \`x-postern-*\` or \`cloudflare-workers-*\`: the gate removes them, and writes its own afterwards.
The front removes a \`Set-Cookie\` of the gray cookie: one tier's service would choose which versions of all tiers of a host its users meet.
`,
});
