/** Refused uploads: the code, the message, and that nothing changes. */
import { postRequest, putRequest, uploadForm } from "./api-client.ts";
import { counterWorker, refusal, testEachRefusal } from "./refusal.ts";

const upload = (code: string, metadata?: unknown, type?: string) => () =>
  putRequest("/workers/scripts/app", uploadForm(code, metadata, type));
const bound = (...bindings: readonly object[]) => upload(counterWorker("new"), { bindings });
const mebibytes = (count: number) => new Uint8Array(count * 1024 * 1024);
const noNamespace = "0".repeat(32);

testEachRefusal({
  "a form that is none": refusal(400, 10001, "multipart", () => putRequest("/workers/scripts/app", "what")),
  "a form that is cut off": refusal(400, 10001, "multipart", async () => {
    const whole = new Response(uploadForm(counterWorker("new")));
    const type = whole.headers.get("content-type") ?? "";
    const bytes = new Uint8Array(await whole.arrayBuffer());
    return { ...putRequest("/workers/scripts/app", bytes.slice(0, 200)), headers: { "content-type": type } };
  }),
  "no metadata": refusal(400, 10001, "metadata", () => {
    const form = uploadForm(counterWorker("new"));
    form.delete("metadata");
    return putRequest("/workers/scripts/app", form);
  }),
  "metadata that is no JSON": refusal(400, 10001, "metadata", upload("", "{")),
  "metadata that is a list": refusal(400, 10001, "metadata", upload("", [])),
  "an unknown key of metadata": refusal(400, 10001, "astes", upload(counterWorker("new"), { astes: {} })),
  "an unknown type of binding": refusal(400, 10021, /AI.*"ai"/, bound({ name: "AI", type: "ai" })),
  "a binding without a name": refusal(400, 10001, "name", bound({ type: "plain_text", text: "" })),
  "a binding's name twice": refusal(
    400,
    10021,
    "'A'",
    bound({ name: "A", type: "plain_text", text: "1" }, { name: "A", type: "json", json: 1 }),
  ),
  "a key of a binding that there is not": refusal(
    400,
    10021,
    "txet",
    bound({ name: "A", type: "plain_text", text: "1", txet: "2" }),
  ),
  "what cannot be inherited": refusal(400, 10057, "GONE", bound({ name: "GONE", type: "inherit" })),
  "a main module that is missing": refusal(
    400,
    10021,
    "gone.js",
    upload(counterWorker("new"), { main_module: "gone.js" }),
  ),
  "a main module of another type": refusal(400, 10021, "main.js", upload("text", {}, "text/plain")),
  "a module of an unknown type": refusal(400, 10021, "text/html", upload("<a>", {}, "text/html")),
  "a script of more than 64 MiB": refusal(413, 10027, "64 MiB", () =>
    putRequest("/workers/scripts/app", uploadForm(new Uint8Array(64 * 1024 * 1024 + 1))),
  ),
  "a form of more than that and its frame": refusal(413, 10027, "65 MiB", () =>
    putRequest("/workers/scripts/app", uploadForm(mebibytes(66))),
  ),
  "code that does not parse": refusal(400, 10021, "SyntaxError", upload("export default {")),
  "code that throws at start": refusal(
    400,
    10021,
    "TypeError: not today",
    upload(`${counterWorker("new")}\nthrow new TypeError("not today");`),
  ),
  "an import that is missing": refusal(400, 10021, "gone.js", upload(`import "./gone.js";\n${counterWorker("new")}`)),
  "code without a class of which there are objects": refusal(400, 10064, "'Counter'", upload("export default {}")),
  "a class that the code does not export": refusal(
    400,
    10070,
    "'Absent'",
    upload(counterWorker("new"), { migrations: { old_tag: "v1", new_tag: "v2", new_sqlite_classes: ["Absent"] } }),
  ),
  "a date that the runtime does not know": refusal(
    400,
    10021,
    "2099-01-01",
    upload(counterWorker("new"), { compatibility_date: "2099-01-01" }),
  ),
  "a date that is none": refusal(
    400,
    10001,
    "compatibility_date",
    upload(counterWorker("new"), { compatibility_date: "soon" }),
  ),
  "a flag that there is not": refusal(
    400,
    10021,
    "no_such_flag",
    upload(counterWorker("new"), { compatibility_flags: ["no_such_flag"] }),
  ),
  "a migration in a version": refusal(400, 10211, "migration", () =>
    postRequest(
      "/workers/scripts/app/versions",
      uploadForm(counterWorker("new"), { migrations: { old_tag: "v1", new_tag: "v2", new_sqlite_classes: ["Other"] } }),
    ),
  ),
  "a migration from another tag": refusal(
    400,
    10074,
    /'v0'.*'v1'/,
    upload(counterWorker("new"), { migrations: { old_tag: "v0", new_tag: "v2" } }),
  ),
  "a migration that makes a class again": refusal(
    400,
    10074,
    "Counter",
    upload(counterWorker("new"), { migrations: { old_tag: "v1", new_tag: "v2", new_sqlite_classes: ["Counter"] } }),
  ),
  "a binding to a class that there is not": refusal(
    400,
    10061,
    "'Absent'",
    bound({ name: "A", type: "durable_object_namespace", class_name: "Absent" }),
  ),
  "a binding to a class of another Worker that there is not": refusal(
    400,
    10143,
    "'gone'",
    bound({ name: "A", type: "durable_object_namespace", class_name: "Counter", script_name: "gone" }),
  ),
  "a binding to a Worker that there is not": refusal(
    400,
    10143,
    "'gone'",
    bound({ name: "A", type: "service", service: "gone" }),
  ),
  "a binding to a namespace that there is not": refusal(
    400,
    10041,
    noNamespace,
    bound({ name: "A", type: "kv_namespace", namespace_id: noNamespace }),
  ),
  "a name in upper case": refusal(400, 10016, '"App"', () =>
    putRequest("/workers/scripts/App", uploadForm(counterWorker("new"))),
  ),
  "a name of 64 characters": refusal(400, 10016, "a".repeat(64), () =>
    putRequest(`/workers/scripts/${"a".repeat(64)}`, uploadForm(counterWorker("new"))),
  ),
  "a name that leads out of its folder": refusal(400, 10016, '"../../etc"', () =>
    putRequest("/workers/scripts/..%2f..%2fetc", uploadForm(counterWorker("new"))),
  ),
  // A path that goes up is another path, as for every client and server of HTTP.
  "a name that is ..": refusal(404, 7003, "/workers", () =>
    putRequest("/workers/scripts/..", uploadForm(counterWorker("new"))),
  ),
  "a name that is %2e%2e": refusal(404, 7003, "/workers", () =>
    putRequest("/workers/scripts/%2e%2e", uploadForm(counterWorker("new"))),
  ),
  "a version of no Worker": refusal(404, 10007, "Worker", () =>
    postRequest("/workers/scripts/gone/versions", uploadForm(counterWorker("new"))),
  ),
});
