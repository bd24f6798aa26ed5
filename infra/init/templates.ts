/** The templates of `postern init`: routes, environments and sample services of a new project. */
import path from "node:path";
import { stringify } from "yaml";
import type { GeneratedFile } from "../project/generated-files.ts";
import type { Gap } from "../review/import/imported.ts";
import { importOpenApi } from "../review/import/openapi/openapi.ts";
import { filesOf, ownPackage } from "./sources.ts";

export type TemplateName = "minimal" | "mobile" | "samples" | "from-openapi";

export interface Template {
  readonly files: readonly GeneratedFile[];
  /** Whether its cases try the whole policy, so that pull requests can keep it that way. */
  readonly isCovered: boolean;
  /** Packages that its sample services import. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** What an OpenAPI document says and no manifest can. */
  readonly gaps: readonly Gap[];
}

/** @throws if an OpenAPI document cannot be imported */
export const templateOf = (
  name: Exclude<TemplateName, "from-openapi"> | { readonly openapi: string; readonly upstream: string | undefined },
  root: string,
): Template => {
  if (typeof name === "object") return fromOpenApi(name.openapi, name.upstream, root);
  if (name === "samples") return samples();
  const services = filesOf("infra/init/templates/services").map((it) => ({ ...it, file: `services/${it.file}` }));
  return {
    files: [...filesOf(`infra/init/templates/${name}`), ...services],
    isCovered: true,
    dependencies: {},
    gaps: [],
  };
};

const sampleServices = "infra/dev/services";

/** The tiers that Postern's own `npm run dev` runs, with their services. */
const samples = (): Template => {
  // In a package the services are compiled.
  const extension = path.extname(import.meta.filename);
  const routes = filesOf("routes").filter(({ file }) => !file.endsWith(".schema.json") && !isPreview(file));
  const inProject = (text: string) =>
    text.replaceAll(new RegExp(`${sampleServices}/(\\w+)\\.ts`, "g"), `services/$1${extension}`);
  const services = filesOf(sampleServices).filter(
    ({ file }) => path.extname(file) === extension && !file.endsWith(".d.ts"),
  );
  const { dependencies, devDependencies } = ownPackage();
  const versions = { ...devDependencies, ...dependencies };
  return {
    files: [
      ...routes.map(({ file, text }) => ({ file: `routes/${file}`, text: inProject(text) })),
      ...services.map(({ file, text }) => ({ file: `services/${file}`, text })),
    ],
    isCovered: true,
    dependencies: { jose: versions.jose ?? "*", ws: versions.ws ?? "*" },
    gaps: [],
  };
};

const isPreview = (file: string): boolean => file.startsWith("environments/preview-");

/** Hosts and URLs of services become values of the environments, so that dev, staging and production can differ. */
const fromOpenApi = (file: string, upstream: string | undefined, root: string): Template => {
  const { files, gaps, values } = importOpenApi(file, root, {
    host: "$" + "{api-host}",
    upstream,
    urlsAreValues: true,
  });
  const environment = (name: string, host: string, comment: string): GeneratedFile => ({
    file: `routes/environments/${name}.yaml`,
    text: `# yaml-language-server: $schema=../environment.schema.json\n# ${comment}\n${stringify({ values: { "api-host": host, ...values } }, { lineWidth: 0 })}`,
  });
  const change = "Put your own hosts here before `npx postern deploy";
  return {
    files: [
      ...files,
      environment(
        "local",
        "localhost",
        "What `npm run dev` runs on; put the address of a local service here, if you have one.",
      ),
      environment("staging", "api-staging.acme.example", `${change} --env staging\`.`),
      environment("production", "api.acme.example", `${change}\`.`),
    ],
    isCovered: false,
    dependencies: {},
    gaps,
  };
};

/** Files of every project: editor settings, a README. */
export const commonFiles = (name: string): GeneratedFile[] =>
  filesOf("infra/init/templates/common").map(({ file, text }) => ({ file, text: text.replaceAll("__NAME__", name) }));

/** @param isCovered whether a pull request fails that leaves a part of the policy untried */
export const workflows = (isCovered: boolean): GeneratedFile[] =>
  ([".github/workflows", ".github/scripts"] as const).flatMap((folder) =>
    filesOf(folder).map(({ file, text }) => {
      // Postern's code is a package of the project, whose version is in the lock.
      const inProject = text.replace('"infra/compiler/**", ', "");
      return { file: `${folder}/${file}`, text: isCovered ? inProject : inProject.replace(" --fail-under 100", "") };
    }),
  );
