/** Uploads that the API refuses: with which code, in which words, and that nothing has changed by it. */
import { post, put, uploadOf } from "./api-client.ts";
import { eachRefused, main, refused } from "./refusal.ts";

const upload = (code: string, metadata?: unknown, type?: string) => () =>
  put("/workers/scripts/app", uploadOf(code, metadata, type));
const bound = (...bindings: readonly object[]) => upload(main("new"), { bindings });
const mebibytes = (count: number) => new Uint8Array(count * 1024 * 1024);
const noNamespace = "0".repeat(32);

eachRefused({
  "a form that is none": refused(400, 10001, "multipart", () => put("/workers/scripts/app", "what")),
  "a form that is cut off": refused(400, 10001, "multipart", async () => {
    const whole = new Response(uploadOf(main("new")));
    const type = whole.headers.get("content-type") ?? "";
    const bytes = new Uint8Array(await whole.arrayBuffer());
    return { ...put("/workers/scripts/app", bytes.slice(0, 200)), headers: { "content-type": type } };
  }),
  "no metadata": refused(400, 10001, "metadata", () => {
    const form = uploadOf(main("new"));
    form.delete("metadata");
    return put("/workers/scripts/app", form);
  }),
  "metadata that is no JSON": refused(400, 10001, "metadata", upload("", "{")),
  "metadata that is a list": refused(400, 10001, "metadata", upload("", [])),
  "an unknown key of metadata": refused(400, 10001, "astes", upload(main("new"), { astes: {} })),
  "an unknown type of binding": refused(400, 10021, /AI.*"ai"/, bound({ name: "AI", type: "ai" })),
  "a binding without a name": refused(400, 10001, "name", bound({ type: "plain_text", text: "" })),
  "a binding's name twice": refused(
    400,
    10021,
    "'A'",
    bound({ name: "A", type: "plain_text", text: "1" }, { name: "A", type: "json", json: 1 }),
  ),
  "a key of a binding that there is not": refused(
    400,
    10021,
    "txet",
    bound({ name: "A", type: "plain_text", text: "1", txet: "2" }),
  ),
  "what cannot be inherited": refused(400, 10057, "GONE", bound({ name: "GONE", type: "inherit" })),
  "a main module that is missing": refused(400, 10021, "gone.js", upload(main("new"), { main_module: "gone.js" })),
  "a main module of another type": refused(400, 10021, "main.js", upload("text", {}, "text/plain")),
  "a module of an unknown type": refused(400, 10021, "text/html", upload("<a>", {}, "text/html")),
  "a script of more than 64 MiB": refused(413, 10027, "64 MiB", () =>
    put("/workers/scripts/app", uploadOf(new Uint8Array(64 * 1024 * 1024 + 1))),
  ),
  "a form of more than that and its frame": refused(413, 10027, "65 MiB", () =>
    put("/workers/scripts/app", uploadOf(mebibytes(66))),
  ),
  "code that does not parse": refused(400, 10021, "SyntaxError", upload("export default {")),
  "code that throws at start": refused(
    400,
    10021,
    "TypeError: not today",
    upload(`${main("new")}\nthrow new TypeError("not today");`),
  ),
  "an import that is missing": refused(400, 10021, "gone.js", upload(`import "./gone.js";\n${main("new")}`)),
  "code without a class of which there are objects": refused(400, 10064, "'Counter'", upload("export default {}")),
  "a class that the code does not export": refused(
    400,
    10070,
    "'Absent'",
    upload(main("new"), { migrations: { old_tag: "v1", new_tag: "v2", new_sqlite_classes: ["Absent"] } }),
  ),
  "a date that the runtime does not know": refused(
    400,
    10021,
    "2099-01-01",
    upload(main("new"), { compatibility_date: "2099-01-01" }),
  ),
  "a date that is none": refused(400, 10001, "compatibility_date", upload(main("new"), { compatibility_date: "soon" })),
  "a flag that there is not": refused(
    400,
    10021,
    "no_such_flag",
    upload(main("new"), { compatibility_flags: ["no_such_flag"] }),
  ),
  "a migration in a version": refused(400, 10211, "migration", () =>
    post(
      "/workers/scripts/app/versions",
      uploadOf(main("new"), { migrations: { old_tag: "v1", new_tag: "v2", new_sqlite_classes: ["Other"] } }),
    ),
  ),
  "a migration from another tag": refused(
    400,
    10074,
    /'v0'.*'v1'/,
    upload(main("new"), { migrations: { old_tag: "v0", new_tag: "v2" } }),
  ),
  "a migration that makes a class again": refused(
    400,
    10074,
    "Counter",
    upload(main("new"), { migrations: { old_tag: "v1", new_tag: "v2", new_sqlite_classes: ["Counter"] } }),
  ),
  "a binding to a class that there is not": refused(
    400,
    10061,
    "'Absent'",
    bound({ name: "A", type: "durable_object_namespace", class_name: "Absent" }),
  ),
  "a binding to a class of another Worker that there is not": refused(
    400,
    10143,
    "'gone'",
    bound({ name: "A", type: "durable_object_namespace", class_name: "Counter", script_name: "gone" }),
  ),
  "a binding to a Worker that there is not": refused(
    400,
    10143,
    "'gone'",
    bound({ name: "A", type: "service", service: "gone" }),
  ),
  "a binding to a namespace that there is not": refused(
    400,
    10041,
    noNamespace,
    bound({ name: "A", type: "kv_namespace", namespace_id: noNamespace }),
  ),
  "a name in upper case": refused(400, 10016, '"App"', () => put("/workers/scripts/App", uploadOf(main("new")))),
  "a name of 64 characters": refused(400, 10016, "a".repeat(64), () =>
    put(`/workers/scripts/${"a".repeat(64)}`, uploadOf(main("new"))),
  ),
  "a name that leads out of its folder": refused(400, 10016, '"../../etc"', () =>
    put("/workers/scripts/..%2f..%2fetc", uploadOf(main("new"))),
  ),
  // A path that goes up is another path, as for every client and server of HTTP.
  "a name that is ..": refused(404, 7003, "/workers", () => put("/workers/scripts/..", uploadOf(main("new")))),
  "a name that is %2e%2e": refused(404, 7003, "/workers", () => put("/workers/scripts/%2e%2e", uploadOf(main("new")))),
  "a version of no Worker": refused(404, 10007, "Worker", () =>
    post("/workers/scripts/gone/versions", uploadOf(main("new"))),
  ),
});
