/** Renders an OpenAPI document as a static reference page with Swagger UI; it loads nothing from the network. */
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { JsonMap } from "../../openapi/document.ts";

const [script, style] = ["swagger-ui-bundle.js", "swagger-ui.css"] as const;

/** @returns contents by the name of the file */
export const renderSite = (document: JsonMap): Readonly<Record<string, string>> => {
  const renderer = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  return {
    "index.html": renderPage(document),
    "openapi.json": `${JSON.stringify(document, null, 2)}\n`,
    [script]: fs.readFileSync(path.join(renderer, script), "utf8"),
    [style]: fs.readFileSync(path.join(renderer, style), "utf8"),
  };
};

/** The document is embedded, since a page opened from a file cannot fetch. The page sends no requests. */
const renderPage = (document: JsonMap): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'unsafe-inline' file:; style-src 'self' 'unsafe-inline' file:; img-src 'self' data: file:; base-uri 'none'; form-action 'none'">
<title>API reference</title>
<link rel="stylesheet" href="${style}">
<style>body { margin: 0 }</style>
</head>
<body>
<div id="reference"></div>
<script type="application/json" id="document">${embedJson(document)}</script>
<script src="${script}"></script>
<script>
SwaggerUIBundle({
  dom_id: "#reference",
  spec: JSON.parse(document.getElementById("document").textContent),
  supportedSubmitMethods: [],
  validatorUrl: null,
  deepLinking: true,
});
</script>
<noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> has all that it shows.</noscript>
</body>
</html>
`;

/** Escapes `<`, so that no text can end the script element. */
const embedJson = (document: JsonMap): string => JSON.stringify(document).replaceAll("<", "\\u003c");
