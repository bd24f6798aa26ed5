/** Node's http. Reads a request from each line and answers with a line: fields between tabs, texts in Base64. */
import http from "node:http";
import readline from "node:readline";
import zlib from "node:zlib";

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

const answer = ([, method, url, headers, kind, content, flags]) =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { method, agent, timeout: 20_000 });
    for (const header of Buffer.from(headers, "base64").toString().split("\n").filter(Boolean)) {
      const colon = header.indexOf(": ");
      request.setHeader(header.slice(0, colon), header.slice(colon + 2));
    }
    if (flags.includes("gzip")) request.setHeader("accept-encoding", "gzip");
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", reject);
    request.on("response", (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const data = Buffer.concat(parts);
        const lines = response.rawHeaders.map((it, index) => (index % 2 === 0 ? `${it}: ` : `${it}\n`)).join("");
        const plain = response.headers["content-encoding"] === "gzip" ? zlib.gunzipSync(data) : data;
        resolve([response.statusCode, lines, plain]);
      });
    });
    send(request, kind, Buffer.from(content, "base64"), flags);
  });

const send = (request, kind, content, flags) => {
  if (kind === "zero") request.setHeader("content-length", "0");
  if (kind === "bare") {
    request.removeHeader("content-length");
    request.removeHeader("transfer-encoding");
  }
  if (kind === "chunked") {
    request.write(content.subarray(0, 5));
    request.end(content.subarray(5));
  } else if (kind !== "text") request.end();
  else if (flags.includes("expects")) {
    request.setHeader("expect", "100-continue");
    request.setHeader("content-length", String(content.length));
    request.flushHeaders();
    request.on("continue", () => request.end(content));
    request.on("response", () => request.end());
  } else request.end(content);
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const fields = line.split("\t");
  const [status, headers, data] = await answer(fields).catch((failure) => ["failed", String(failure), ""]);
  const encoded = [headers, data].map((it) => Buffer.from(it).toString("base64"));
  console.log([fields[0], status, ...encoded].join("\t"));
}
agent.destroy();
